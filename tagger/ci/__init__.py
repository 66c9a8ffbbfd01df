"""One call for a pipeline, and its results as each host reads them.

In the order of imports: check.py, changed_rows.py (rows that differ from the base's), gate.py (what a model must reach),
new_entries.py, run.py (the one call), reports.py (how GitHub annotations and other forms look).
"""
