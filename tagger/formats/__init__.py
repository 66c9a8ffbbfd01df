"""One file a format: how it is recognised, read and written.

In the order of imports: listing.py, title_authors.py, pasted.py, json_lines.py, registry.py.
"""
