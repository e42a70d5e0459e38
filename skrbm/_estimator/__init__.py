"""What meets scikit-learn: fitting, and the public methods of all estimators."""
