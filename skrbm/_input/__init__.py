"""What the user hands in: parameters and data, checked, and rows in the form of a model."""
