"""Users, items and ratings: what a recommender adds to its machines."""
