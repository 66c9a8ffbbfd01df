"""Many listings, of which only what changed is done again.

In the order of imports: manifest.py, changes.py, settings.py, discovery.py, reading.py, tagging.py,
outputs.py, plan.py, diff.py.
"""
