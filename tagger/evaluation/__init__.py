"""How good a model is, and whether a new one is worse.

In the order of imports: metrics.py, figures.py, comparison.py, labelled_sets.py.
"""
