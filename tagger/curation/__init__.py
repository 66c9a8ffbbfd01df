"""Which labels to add, doubt or correct.

In the order of imports: query.py (what `tagger next` picks by), stopping.py (whether more labels still help), drift.py (new
entries against the labelled ones), label_oddities.py and label_errors.py (labels that are probably wrong), learning_curve.py
(what more labels brought), marks.py (what is said of each topic of an entry), session.py and session_keys.py (labelling entries
one at a time).
"""
