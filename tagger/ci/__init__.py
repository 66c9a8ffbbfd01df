"""One call for a pipeline, and its results as each host reads them.

In the order of imports: run.py, reports.py.
"""
