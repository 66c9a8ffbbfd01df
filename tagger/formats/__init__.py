"""One file a format: how it is recognised, read and written.

In the order of imports: plain_text.py, markdown.py, listing.py, title_authors.py, pasted.py, json_lines.py, registry.py.
"""
