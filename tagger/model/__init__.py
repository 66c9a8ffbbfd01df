"""The trained model: scores, tags, reasons; its file.

In the order of imports: log_odds.py, decision.py, model.py, storage.py, explain.py, sklearn_export.py.
"""
