"""A folder with labels/ and models/, and what is done to it.

In the order of imports: workspace.py, scaffold.py, retrain.py, promotion.py, checks.py, git.py.
"""
