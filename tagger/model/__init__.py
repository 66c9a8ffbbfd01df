"""The trained model: scores, tags, reasons; its file.

In the order of imports: log_odds.py, decision.py, training_record.py, weights.py, model.py, header.py, storage.py,
explain.py, sklearn_export.py.
"""
