"""How a recommender is saved: its ratings as plain arrays.

A pickle that holds a sparse array names a private module of SciPy, and skops reads a sparse array
only for those who trust its class. Plain arrays need neither.
"""

from scipy import sparse


class SavedRatings:
    """Mixin that packs ``ratings_`` into arrays where an estimator is saved or copied."""

    def __getstate__(self):
        state = super().__getstate__()
        ratings = state.get("ratings_")
        if isinstance(ratings, sparse.csr_array):
            arrays = (ratings.data, ratings.indices, ratings.indptr)
            # A new dict: this one may be that of the estimator itself.
            state = {**state, "ratings_": (arrays, ratings.shape)}
        return state

    def __setstate__(self, state):
        if isinstance(state.get("ratings_"), tuple):  # pickles before 0.1.0 hold a sparse array
            arrays, shape = state["ratings_"]
            state = {**state, "ratings_": sparse.csr_array(arrays, shape=shape)}
        super().__setstate__(state)
