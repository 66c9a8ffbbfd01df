"""Which labels to add, doubt or correct.

In the order of imports: query.py, drift.py, label_errors.py, learning_curve.py, session.py.
"""
