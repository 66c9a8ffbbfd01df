"""Text -> term counts -> TF-IDF, with numpy alone.

In the order of imports: normalize.py, tokenize.py, hashed_vocabulary.py, tfidf.py, positions.py, near_duplicates.py,
similarity.py.
"""
