"""The machines as scikit-learn estimators."""
