"""The mathematics: machines, layers and their products. Nothing here knows scikit-learn."""
