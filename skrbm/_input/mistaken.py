"""Tables of categories that are most likely a mistake: each gets one warning, with the mend."""

import warnings

import numpy as np

TRIPLES = (
    "Triples of user, item and rating are what RBMRecommender learns from. For other models they "
    "make a sparse matrix first: coo_array((rating, (user, item)))."
)
#: Different values of one feature: more are most likely a mistake.
MANY_CATEGORIES = 1000
_FEW_ENTRIES = 30  # of a feature: they do not say which values it lacks
_FEW_RATINGS = 10  # of a table: they do not say whether they are counts


def warn_of_mistakes(estimator, rows, names):
    """Warn of training data that hardly mean what they say; of one thing at most.

    Parameters
    ----------
    estimator : SoftmaxRBM
    rows : CategoryRows, or a description of all rows of its attributes
    names : sequence
        Names of the features.
    """
    shared = isinstance(estimator.categories, str) and estimator.categories == "shared"
    name, sentence = type(estimator).__name__, None
    if rows.categories.most > MANY_CATEGORIES:  # which is warned of where they are found
        return
    if _are_triples(rows):
        sentence = (
            f"the three features of X look like user, item and rating, as two of them tell all "
            f"{rows.n_rows} rows apart, but {name} takes a table with a row for each user and a "
            f"column for each item. {TRIPLES}"
        )
    elif rows.categories.most == 1:
        sentence = (
            f"there is one category only, {shown(rows.categories.by_feature[0])} in feature "
            f"{names[0]!r}, so that {name} can predict nothing else. If observed entries say "
            "'yes' and missing ones 'no', fit BernoulliRBM to a table of 1 and 0; if other "
            "categories may occur, list them: categories=[1, 2, 3, 4, 5]."
        )
    elif shared:
        sentence = _zero_filled(name, rows) or _unlike_features(name, rows, names)
    if sentence:
        warnings.warn(sentence, UserWarning, stacklevel=2)


def shown(values):
    """Categories as Python writes them, on one line."""
    style = {"threshold": 12, "separator": ", ", "formatter": {"all": str}}
    return np.array2string(values, max_line_width=np.inf, **style)


def _are_triples(rows):
    """Whether three features look like user, item and rating: no user rates an item twice.

    If users and items met by chance, ten pairs or more would be expected to occur twice. So the
    chance of a false alarm is below ``exp(-10)``. Rows that are elsewhere are not looked at.
    """
    if rows.onehot is None or rows.n_features != 3 or rows.is_sparse or rows.n_unknown:
        return False
    by_feature = np.split(rows.summary.counts, rows.categories.offsets[1:-1])
    n_values = [int(np.count_nonzero(counts)) for counts in by_feature]
    user, item = np.sort(np.argsort(n_values, kind="stable")[1:])
    if min(n_values[user], n_values[item]) < 10 or min(n_values) > 20:
        return False
    if rows.n_rows**2 < 20 * n_values[user] * n_values[item]:
        return False
    codes = rows.onehot.entries.reshape(-1, 3).astype(np.int64)
    pairs = codes[:, user] * rows.categories.offsets[-1] + codes[:, item]
    return len(np.unique(pairs)) == rows.n_rows


def _zero_filled(name, rows):
    """A sentence on zeros that most likely stand for missing ratings; None if they do not.

    Counts fall from 0 on, and bits have one value above 0: a table of these is what it seems to
    be. Of ratings the lowest is not the most frequent by far.
    """
    values, n_entries = rows.categories.by_feature[0], rows.n_rows * rows.n_features
    if rows.is_sparse or rows.n_unknown or values[0] != 0:
        return None
    counts = rows.summary.counts.reshape(rows.n_features, -1).sum(axis=0)
    lowest, *others = counts[1:] if len(counts) > 1 else (0,)
    if len(others) < 2 or counts[1:].sum() < _FEW_RATINGS or counts[0] <= counts.sum() / 2:
        return None
    # By 1.5 standard deviations: a small table of counts may fall less steeply by chance.
    most = max(others)
    if 1.5 * most - lowest <= 1.5 * np.sqrt(lowest + 2.25 * most):
        return None
    share = int(100 * counts[0] / counts.sum())
    return (
        f"{share} % of the {n_entries} entries of X are 0, and none is missing: {name} reads a 0 "
        "as a rating like any other, the most frequent one. If 0 means 'not rated', pass "
        "scipy.sparse.csr_array(X), or NaN in place of 0. If 0 is a category, list it: "
        f"categories={shown(values)}."
    )


def _unlike_features(name, rows, names):
    """A sentence on features that lack most of what others hold, as they share no scale, or None.

    A film that lacks a rare rating lacks little of the other films' ratings, even if it lacks
    several ratings. What a feature has not shown by chance is estimated by the share of values
    that it holds once (Good, 1953). Some users, as features, give the same rating throughout: so
    a tenth of the features must be unlike the others.
    """
    counts = rows.summary.counts.reshape(rows.n_features, -1)
    n_entries = counts.sum(axis=1, keepdims=True)
    others = np.maximum(counts.sum() - n_entries, 1)
    lacking = ((counts.sum(axis=0) - counts) / others * (counts == 0)).sum(axis=1)
    lacking -= (counts == 1).sum(axis=1) / np.maximum(n_entries[:, 0], 1)
    enough = n_entries[:, 0] >= _FEW_ENTRIES
    unlike = np.flatnonzero(enough & (lacking > 0.5))
    if len(unlike) == 0 or len(unlike) < 0.1 * enough.sum():
        return None
    i = unlike[0]
    held = shown(rows.categories.by_feature[i][counts[i] > 0])
    mend = "If the features do share a scale, list it: categories=[1, 2, 3, 4, 5]."
    mend = TRIPLES if rows.n_features == 3 else mend
    return (
        f"the features of X hold different values: feature {names[i]!r} holds {held} only, but "
        f"categories='shared' of {name} gives each feature all {counts.shape[1]} values that "
        f"occur in X. Pass categories='auto' for the values of each column. {mend}"
    )
