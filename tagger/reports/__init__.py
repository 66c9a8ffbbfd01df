"""Results -> text, tables, pictures and the report page.

In the order of imports: figures.py, topics.py, card.py, tags.py, why.py, audit.py, drift.py, batch.py, pictures.py, page.py.
"""
