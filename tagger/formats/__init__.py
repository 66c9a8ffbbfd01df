"""One file a format: how it is recognised, read and written. `registry.py` lists them all.

In the order of imports: plain_text.py, wording.py, listing.py, format.py, title_authors.py, pasted.py, json_lines.py,
markdown.py, table.py, csv_table.py, parquet.py, registry.py.
"""
