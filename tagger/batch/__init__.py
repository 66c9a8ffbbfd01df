"""Many listings, of which only what changed is done again.

In the order of imports: manifest.py, discovery.py, plan.py, diff.py.
"""
