"""Slow oracles of the recommender, in plain loops over dicts: nothing is shared with the package.

A table of ratings is a dict from pairs (user, item) to ratings, whatever users and items are.
"""

import math

import numpy as np

# --- baselines --------------------------------------------------------------------------------


def biases(ratings, user_shrinkage, item_shrinkage, n_iter):
    """Mean, biases of users and biases of items, by alternating least squares."""
    users, items = ({pair[k] for pair in ratings} for k in range(2))
    mean = sum(ratings.values()) / len(ratings)
    of_user, of_item = dict.fromkeys(users, 0.0), dict.fromkeys(items, 0.0)
    for _ in range(n_iter):
        for item in items:
            own = [r - mean - of_user[u] for (u, i), r in ratings.items() if i == item]
            of_item[item] = sum(own) / (len(own) + item_shrinkage)
        for user in users:
            own = [r - mean - of_item[i] for (u, i), r in ratings.items() if u == user]
            of_user[user] = sum(own) / (len(own) + user_shrinkage)
    return mean, of_user, of_item


def exact_biases(ratings, user_shrinkage, item_shrinkage):
    """The same where the iterations end: the normal equations, solved at once."""
    users, items = (sorted({pair[k] for pair in ratings}) for k in range(2))
    mean = sum(ratings.values()) / len(ratings)
    n = len(users) + len(items)
    gram, moments = np.zeros((n, n)), np.zeros(n)
    for (user, item), r in ratings.items():
        own = np.zeros(n)
        own[users.index(user)] = own[len(users) + items.index(item)] = 1
        gram += np.outer(own, own)
        moments += own * (r - mean)
    shrinkages = [user_shrinkage] * len(users) + [item_shrinkage] * len(items)
    solution = np.linalg.solve(gram + np.diag(shrinkages), moments)
    of_user = dict(zip(users, solution, strict=False))
    return mean, of_user, dict(zip(items, solution[len(users) :], strict=True))


# --- priors and blends ------------------------------------------------------------------------


def shrunk_frequencies(own, everything, scale, strength):
    """Frequencies of a list of ratings with ``strength`` more, shared out as all ratings are."""
    out = []
    for value in scale:
        pooled = sum(r == value for r in everything) / len(everything)
        out.append((sum(r == value for r in own) + strength * pooled) / (len(own) + strength))
    return out


def product(p, q, weight):
    """Probabilities in proportion to ``p^weight q^(1 - weight)``."""
    terms = [a**weight * b ** (1 - weight) for a, b in zip(p, q, strict=True)]
    return [term / sum(terms) for term in terms]


# --- rankings ---------------------------------------------------------------------------------


def ranked(scores, n):
    """Up to n keys of a dict of scores in the order of the scores; of equal ones the first."""
    left = dict(scores)
    out = []
    while left and len(out) < n:
        best = None
        for key, score in left.items():
            if best is None or score > left[best]:
                best = key
        out.append(best)
        del left[best]
    return out


def precision(ranking, relevant, k):
    """Share of the k places that hold a relevant item."""
    return sum(item in relevant for item in ranking[:k]) / k


def recall(ranking, relevant, k):
    """Share of the relevant items in the first k places."""
    return sum(item in relevant for item in ranking[:k]) / len(relevant)


def ndcg(ranking, relevant, k):
    """Discounted gain, over that of the relevant items in the first places."""
    gain = sum(
        1 / math.log2(place + 1)
        for place, item in enumerate(ranking[:k], start=1)
        if item in relevant
    )
    best = sum(1 / math.log2(place + 1) for place in range(1, min(k, len(relevant)) + 1))
    return gain / best


def average_precision(ranking, relevant, k):
    """Sum of the precisions at the places of relevant items, over ``min(n, k)``."""
    total = 0.0
    for place, item in enumerate(ranking[:k], start=1):
        if item in relevant:
            total += precision(ranking, relevant, place)
    return total / min(len(relevant), k)


MEASURES = {"precision": precision, "recall": recall, "ndcg": ndcg, "map": average_precision}


def mean_measures(rankings, relevant, k):
    """Means of the measures over the users of ``relevant``; both are dicts by user."""
    return {
        name: sum(measure(rankings[u], relevant[u], k) for u in relevant) / len(relevant)
        for name, measure in MEASURES.items()
    }
