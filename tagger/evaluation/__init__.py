"""How good a model is, and when a new model is worse than an old one.

In the order of imports: metrics.py (what a figure is), figures.py (the figures of a model), comparison.py (when a new model is
worse), labelled_sets.py (a model on labelled entries from elsewhere).
"""
