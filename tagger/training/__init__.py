"""Labels -> a model.

In the order of imports: settings.py, folds.py, classifier.py, calibration.py, thresholds.py, trainer.py.
"""
