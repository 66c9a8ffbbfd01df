"""One file a format: how it is recognised, read and written. `registry.py` lists them all.

In the order of imports: plain_text.py, wording.py, listing.py, format.py, author_names.py, title_authors.py, pasted_header.py,
pasted_blocks.py, pasted.py, json_lines.py, markdown.py, table.py, csv_table.py, parquet.py, registry.py.
"""
