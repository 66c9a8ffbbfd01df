"""A folder with labels/ and models/, and what is done to it.

In the order of imports: workspace.py (where labels and model are), scaffold.py (what `tagger init` writes), retrain.py (from
labels to a model), promotion.py (a new model in the place of the old one, and back), checks.py (what is wrong), git.py (entries
added since a revision).
"""
