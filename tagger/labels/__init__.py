"""What people said of entries: the folder labels/.

In the order of imports: entry_files.py, table.py, closure.py, dataset.py, store.py, confirmed.py, reviewed.py.
"""
