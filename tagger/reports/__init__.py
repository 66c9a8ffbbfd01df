"""Results -> text, tables, pictures and the report page.

In the order of imports: markup_text.py (text that XML and HTML can hold), figures.py (figures of a model), topics.py, card.py
(the model's card), why.py, audit.py, drift.py, batch.py, svg.py (what any picture needs), topic_pictures.py,
score_pictures.py, pictures.py (all of them), page.py (the report page).
"""
