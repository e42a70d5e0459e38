"""What fitted estimators say, by every method that reads: to compare saved models with."""

import numpy as np

from skrbm import SoftmaxRBM


def answers(rbm, X):
    """What an estimator says of complete dense rows, by the name of the method.

    A SoftmaxRBM reads rows with gaps, where it can.
    """
    gaps = X.copy()
    gaps[::2, 1] = np.nan
    rows = gaps if isinstance(rbm, SoftmaxRBM) else X
    hidden = rbm.transform(rows)
    calls = {
        "transform": lambda: hidden,
        "inverse_transform": lambda: rbm.inverse_transform(hidden),
        "reconstruct": lambda: rbm.reconstruct(rows),
        "energy": lambda: rbm.energy(X, hidden),
        "free_energy": lambda: rbm.free_energy(rows),
        "score_samples": lambda: rbm.score_samples(rows),
        "score": lambda: rbm.score(rows),
        "log_partition": lambda: rbm.log_partition("exact").value,
        "log_likelihood": lambda: rbm.log_likelihood(X),
        "gibbs": lambda: rbm.gibbs(X, 2, random_state=0),
        "sample": lambda: rbm.sample(4, n_gibbs_steps=3, random_state=0),
        "sample, tempering": lambda: rbm.sample(
            4, n_gibbs_steps=3, method="tempering", n_temperatures=3, random_state=0
        ),
        "impute": lambda: rbm.impute(gaps, n_gibbs_steps=2, n_chains=2, random_state=0),
        "get_feature_names_out": lambda: rbm.get_feature_names_out(),
        "conditional_proba": lambda: rbm.conditional_proba(rows),
        "predict_ratings": lambda: rbm.predict_ratings(rows),
        "predict_ratings, mean field": lambda: rbm.predict_ratings(rows, method="mean_field"),
        "recommend": lambda: rbm.recommend(rows, 2),
        "top_features": lambda: rbm.top_features(0),
    }
    if getattr(rbm, "conditional", False):  # such a machine has no distribution of its own
        for name in ("log_partition", "log_likelihood", "sample, tempering"):
            del calls[name]
    return {name: call() for name, call in calls.items() if hasattr(rbm, name.partition(",")[0])}


def answers_about_pairs(recommender, pairs, ratings=None):
    """What a recommender says of pairs of users and items, and of their ratings if it has any.

    Some of the pairs must be new to it.
    """
    users = list(dict.fromkeys(user for user, _ in pairs))
    said = {
        "predict": recommender.predict(pairs),
        "recommend": recommender.recommend(users, 3),
        "similar_items": recommender.similar_items(recommender.item_ids_[:3], 2),
        "ranking_scores": recommender.ranking_scores(pairs, k=3),
    }
    if ratings is not None:
        said |= {
            "predict_distribution": recommender.predict_distribution(pairs),
            "score": recommender.score(pairs, ratings),
            "rating_scores": recommender.rating_scores(pairs, ratings),
            "recommend, rating": recommender.recommend(users, 3, rank_by="rating"),
        }
    return said
