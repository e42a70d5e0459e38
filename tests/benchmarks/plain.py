"""Learning without options, for figures that must not depend on defaults."""

#: Parameters of all three estimators.
PLAIN = {
    "learning_rate_schedule": "constant",
    "n_gibbs_steps": 1,
    "n_chains": None,
    "centering": False,
    "average": False,
    "momentum": 0.0,
    "weight_decay": 0.0,
    "l1_penalty": 0.0,
}
#: Parameters of BernoulliRBM; the numbers are scikit-learn's defaults.
PLAIN_BERNOULLI = PLAIN | {
    "learning_rate": 0.1,
    "batch_size": 10,
    "n_iter": 10,
    "algorithm": "pcd",
    "negative_visibles": "sample",
    "positive_visibles": "mean",
}
