"""Labels -> a model.

In the order of imports: settings.py, folds.py, classifier.py, calibration.py, out_of_fold.py, topic_threshold.py,
thresholds.py, labelled_counts.py, fold_data.py, search.py, fitted_topics.py, trainer.py.
"""
