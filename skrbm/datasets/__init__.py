"""Data sets: patterns and ratings whose distribution is known, and MovieLens.

What ``make_...`` draws needs no file and no further library. ``fetch_movielens`` needs pooch, and
data frames need pandas: ``pip install "skrbm[datasets]"``.
"""

from ._bars_and_stripes import make_bars_and_stripes
from ._movielens import fetch_movielens
from ._ratings import make_ratings

__all__ = ["fetch_movielens", "make_bars_and_stripes", "make_ratings"]
