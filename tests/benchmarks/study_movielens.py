"""Recommenders on MovieLens: predicted ratings and rankings, beside other packages.

    python tests/benchmarks/study_movielens.py --data NAME [--folds 1,2,..] [--quick]
    python tests/benchmarks/study_movielens.py --data NAME --tune [--folds 1,3,5]
    python tests/benchmarks/study_movielens.py --ratings NAME [--splits N] [--only WORD,...]

``--data`` is MovieLens-100K, 100k, with its canonical folds; ``--ratings`` any other MovieLens,
with random splits, nine tenths to train on; ``movielens.py`` says what they are. The models:

* biases of user and item; popularity;
* a tuned SoftmaxRBM with films as rows, ``SINGLE``;
* RBMRecommender with default parameters, and a tuned one, ``TUNED``: the mean of the predictions
  of four that differ in ``random_state``, and the ranking of the first;
* myFM (ids alone, rank 8, users and items as groups, 300 iterations), SVD and SVD++ of Surprise
  with its defaults, item neighbours and alternating least squares of implicit, where these
  packages are installed. Alternating least squares learns from all ratings, or from those of 4
  and more alone, also as the sum of twenty models that differ in their seeds.

Ranking: an item is relevant to a user if the test ratings hold it with 4 or more. Candidates are
all items that the user has not rated in training. Means over users with a relevant item.

How settings were chosen: of the training ratings of a fold, a part drawn at random was held out
and the rest trained on: a tenth in folds 1 and 3 for predictions, a fifth in folds 1, 3 and 5 for
rankings. The settings with the best means on these inner test ratings were taken, those of
implicit likewise. myFM and Surprise were not tuned. (As in any cross-validation with one choice
for all folds, a rating that fold 1 trains on, fold 2 tests on.) ``--tune`` makes the comparison
again, of what was chosen and one change of it at a time.
``--only`` runs the models whose names contain a word.
"""

import argparse
from functools import partial

import numpy as np
from movielens import (
    N_FOLDS,
    NAMES,
    RELEVANT_FROM,
    evaluate,
    folds,
    inner_split,
    load,
    random_split,
    shape,
)
from recommenders import (
    BiasBaseline,
    ItemRBM,
    MyFM,
    Popularity,
    Recommender,
    als,
    installed,
    item_knn,
    surprise,
    warm_up,
)
from timing import describe_machine, figure, parse, table, verdict

from skrbm import BernoulliRBM, SoftmaxRBM

PACKAGES = {"myfm": "myfm", "surprise": "scikit-surprise", "implicit": "implicit"}
INNER_RANKING_SHARE = 0.2
#: RMSE at most, means of the folds.
MOST_SINGLE, MOST_DEFAULT, MOST_TUNED = 0.905, 0.900, 0.894

SINGLE = {
    "ordinal": True,
    "n_components": 200,
    "learning_rate": 0.04,
    "batch_size": 50,
    "weight_decay": 0.004,
}
TUNED = {
    "rating_rbm": SoftmaxRBM(**SINGLE),
    "user_rbm": SoftmaxRBM(**SINGLE | {"n_components": 100, "weight_decay": 0.008}),
    "interest_rbm": BernoulliRBM(
        n_components=200, algorithm="cd", learning_rate=0.5, weight_decay=0.015, n_iter=30
    ),
}
SEEDS = range(4)
ALS = {"factors": 16, "regularization": 20, "alpha": 3}
ALS_LIKED = {"factors": 64, "regularization": 60, "alpha": 10}
#: The sum of so many takes about as long as RBMRecommender.
ALS_SEEDS = range(20)
ALS_OF_SUM = {"factors": 32, "regularization": 30, "alpha": 5}
KNN = {"kind": "BM25", "K": 300, "B": 0.4}

#: What others report of random splits, nine tenths to train on: RMSE by number of ratings.
LITERATURE = {
    "user RBM": {"1M": 0.881, "10M": 0.823},
    "item RBM": {"1M": 0.854, "10M": 0.825},
    "biased matrix factorisation": {"1M": 0.845, "10M": 0.803},
    "I-AutoRec": {"1M": 0.831, "10M": 0.782},
    "GLocal-K": {"1M": 0.8227},
    "Bayesian SVD++": {"10M": 0.756},
}
DEFAULT_NAME, TUNED_NAME = "RBMRecommender, default parameters", "RBMRecommender, tuned"
SINGLE_NAME, MYFM_NAME = "SoftmaxRBM, tuned", "myFM"


# --- the models -------------------------------------------------------------------------------


def models(of, options):
    """What makes each model, by name, in the order of the tables; ``of`` is the shape."""
    found = {
        "user + item bias": BiasBaseline,
        "popularity": partial(Popularity, of),
        SINGLE_NAME: partial(ItemRBM, *of, **SINGLE | options.shortened),
        DEFAULT_NAME: partial(Recommender, **options.nested),
        TUNED_NAME: partial(Recommender, SEEDS, **TUNED | options.nested),
    }
    if "myfm" in options.installed:
        found[MYFM_NAME] = partial(MyFM, of, n_iter=options.shortened.get("n_iter", 290) + 10)
    if "surprise" in options.installed:
        found["Surprise, SVD"] = partial(surprise, "SVD")
        found["Surprise, SVD++"] = partial(surprise, "SVDpp")
    if "implicit" in options.installed:
        found["implicit, item neighbours"] = partial(item_knn, of, **KNN)
        found["implicit, ALS"] = partial(als, of, **ALS)
        liked = f"implicit, ALS of {RELEVANT_FROM} and more"
        found[liked] = partial(als, of, RELEVANT_FROM, **ALS_LIKED)
        found[f"{liked}, 20 seeds"] = partial(als, of, RELEVANT_FROM, ALS_SEEDS, **ALS_OF_SUM)
    words = options.only.split(",")
    chosen = {name: make for name, make in found.items() if any(word in name for word in words)}
    if not chosen:
        raise SystemExit(f"no model has {options.only!r} in its name: {', '.join(found)}")
    return chosen


def run(contenders, data, splits):
    """Figures of ``evaluate`` by model, a list over the splits."""
    results = {}
    for which, (train, test) in splits.items():
        for name, make in contenders.items():
            found = evaluate(make(), data, train, test)
            results.setdefault(name, []).append(found)
            line = ", ".join(f"{key} {value:.4f}" for key, value in found.items())
            print(f"{which}, {name}: {line}", flush=True)
    return results


def mean_of(results, name, key):
    """Mean over the splits; nothing for what was not run."""
    runs = results.get(name, [{}])
    return float(np.mean([run[key] for run in runs])) if key in runs[0] else None


# --- the tables -------------------------------------------------------------------------------


def print_results(results, names, title):
    """Means over the splits and the first figure of each, of predictions and of rankings."""
    for what, keys, seconds in (
        ("predicted ratings", ("RMSE", "MAE"), "predict"),
        ("rankings", ("NDCG", "recall"), "rank"),
    ):
        rows = []
        for name, runs in results.items():
            if seconds in runs[0]:
                means = [figure(mean_of(results, name, key), ".4f") for key in keys]
                each = [figure(run[keys[0]], ".4f") for run in runs]
                laps = [figure(mean_of(results, name, key), ".2f") for key in ("fit", seconds)]
                rows.append([name, *means, *each, *laps])
        shown = keys if what != "rankings" else tuple(f"{key}@10" for key in keys)
        header = ["", *shown, *names, "fit, s", f"{seconds}, s"]
        note = f"Means of the splits, {shown[0]} of each; seconds per split."
        if rows:
            print(table(f"{title}, {what}", header, rows, note))


def seconds_to_predict(results, name):
    """Mean seconds of fit and predict."""
    both = [mean_of(results, name, key) for key in ("fit", "predict")]
    return None if None in both else sum(both)


def print_goals(results):
    """What must be met, whether it is."""
    goals = [
        (f"{name}: RMSE", mean_of(results, name, "RMSE"), most, "at_most")
        for name, most in (
            (SINGLE_NAME, MOST_SINGLE),
            (DEFAULT_NAME, MOST_DEFAULT),
            (TUNED_NAME, MOST_TUNED),
        )
    ]
    seconds = [seconds_to_predict(results, name) for name in (DEFAULT_NAME, MYFM_NAME)]
    goals.append((f"{DEFAULT_NAME}: seconds, against myFM", *seconds, "at_most"))
    goals += [
        (f"{ours}: {key}@10, against {name}", *figures, "at_least")
        for ours in (DEFAULT_NAME, TUNED_NAME)
        for key in ("NDCG", "recall")
        for name in results
        if "ALS" in name
        for figures in [[mean_of(results, one, key) for one in (ours, name)]]
    ]
    rows = []
    for goal, value, limit, kind in goals:
        met = "-" if None in (value, limit) else verdict(value, **{kind: limit})
        sign = "at most" if kind == "at_most" else "at least"
        rows.append([goal, figure(value, ".4f"), f"{sign} {figure(limit, '.4f')}", met])
    print(table("Goals", ["", "is", "goal", "met"], rows))


def print_literature(results, column):
    """RMSE that others report beside ours, where the file is one of theirs."""
    columns = [name for name in NAMES.values() if name != "100K"]
    rows = [
        [name, *(figure(found.get(one), ".4f") for one in columns)]
        for name, found in LITERATURE.items()
    ]
    for name in results:
        if "RMSE" in results[name][0]:
            mean = figure(mean_of(results, name, "RMSE"), ".4f")
            rows.append([f"here: {name}", *(mean if one == column else "-" for one in columns)])
    note = "Random splits, nine tenths to train on. A dash: not measured, or not reported."
    header = ["", *(f"MovieLens-{name}" for name in columns)]
    print(table("RMSE in the literature", header, rows, note))


# --- the choice of settings -------------------------------------------------------------------


def rating_candidates(of, options):
    """What makes each contender for predictions, by name."""
    changes = {
        "as chosen": {},
        "not ordinal": {"ordinal": False},
        "not ordinal, conditional": {"ordinal": False, "conditional": True},
        "100 hidden units": {"n_components": 100},
        "400 hidden units": {"n_components": 400},
        "weight decay 0.002": {"weight_decay": 0.002},
        "weight decay 0.008": {"weight_decay": 0.008},
        "rate 0.02": {"learning_rate": 0.02},
        "rate 0.08": {"learning_rate": 0.08},
        "batches of 100, rate 0.06": {"batch_size": 100, "learning_rate": 0.06},
        "20 epochs": {"n_iter": 20},
    }
    found = {"user + item bias": BiasBaseline}
    for name, change in changes.items():
        settings = SINGLE | change | options.shortened
        found[f"{SINGLE_NAME}: {name}"] = partial(ItemRBM, *of, **settings)
    for name, parts in (("default parameters", {}), ("tuned, one seed", TUNED)):
        found[f"RBMRecommender, {name}"] = partial(Recommender, **parts | options.nested)
    return found


def ranking_candidates(of, options):
    """What makes each contender for rankings, by name."""
    changes = {
        "as chosen": {},
        "100 hidden units": {"n_components": 100},
        "400 hidden units": {"n_components": 400},
        "without weight decay": {"weight_decay": 0.0},
        "weight decay 0.01": {"weight_decay": 0.01},
        "weight decay 0.02, 40 epochs": {"weight_decay": 0.02, "n_iter": 40},
        "rate 0.3": {"learning_rate": 0.3},
        "20 epochs": {"n_iter": 20},
        "pcd": {"algorithm": "pcd"},
    }
    found = {"popularity": partial(Popularity, of)}
    chosen = TUNED["interest_rbm"].get_params()
    for name, change in changes.items():
        machine = BernoulliRBM(**chosen | change | options.shortened)
        parts = options.nested | {"interest_rbm": machine}
        found[f"interest: {name}"] = partial(Recommender, **parts)
    if "implicit" in options.installed:
        found["neighbours, as chosen"] = partial(item_knn, of, **KNN)
        for kind in ("Cosine", "TFIDF", "BM25"):
            for n in (20, 100, 300):
                found[f"neighbours, {kind}, {n}"] = partial(item_knn, of, kind, K=n)
        for liked in (None, RELEVANT_FROM):
            for n in (16, 32, 64):
                for alpha, penalty in ((1, 10), (3, 10), (3, 20), (5, 30), (5, 40), (10, 60)):
                    settings = {"factors": n, "alpha": alpha, "regularization": penalty}
                    of_what = "all" if liked is None else f"from {liked}"
                    name = f"ALS, {of_what}, {n} factors, alpha {alpha}, penalty {penalty}"
                    found[name] = partial(als, of, liked, **settings)
        for settings in (ALS_LIKED, ALS_OF_SUM):
            name = f"ALS, from {RELEVANT_FROM}, {settings['factors']} factors, 20 seeds"
            found[name] = partial(als, of, RELEVANT_FROM, ALS_SEEDS, **settings)
    return found


def tune(data, options):
    """Inner figures of each contender."""
    for key, share, contenders, best in (
        ("RMSE", None, rating_candidates, min),
        ("NDCG", INNER_RANKING_SHARE, ranking_candidates, max),
    ):
        given = () if share is None else (share,)
        splits = {
            f"fold {k}": inner_split(train, k, *given)
            for k, (train, _) in enumerate(folds(data), 1)
            if k in options.folds
        }
        results = run(contenders(shape(data), options), data, splits)
        means = {name: mean_of(results, name, key) for name in results}
        rows = []
        for name, runs in results.items():
            seconds = figure(mean_of(results, name, "fit"), ".2f")
            rows.append(
                [name, f"{means[name]:.4f}", *(f"{run[key]:.4f}" for run in runs), seconds]
            )
        header = ["", f"inner {key}", *splits, "fit, s"]
        print(table(f"Inner splits, {key}", header, rows, f"Best: {best(means, key=means.get)}."))


# --- the command line -------------------------------------------------------------------------


def study(data, options):
    """Figures on the test rows."""
    if options.data:
        parts = enumerate(folds(data), 1)
        splits = {f"u{k}": part for k, part in parts if k in options.folds}
    else:
        rows = np.arange(len(data["rating"]))
        splits = {f"split {n + 1}": random_split(rows, n) for n in range(options.splits)}
    which = NAMES.get(len(data["rating"]), f"{len(data['rating'])} ratings")
    results = run(models(shape(data), options), data, splits)
    print_results(results, splits, f"MovieLens-{which}" if which in NAMES.values() else which)
    print_goals(results) if options.data else print_literature(results, which)


def read_options():
    """Options of the command line, checked and completed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", help="100k, or an npz of it, for its canonical folds")
    source.add_argument("--ratings", help="1m, 10m, latest-small, or an npz, for random splits")
    parser.add_argument("--folds", help="numbers, comma-separated (default all; --tune: 1,3,5)")
    parser.add_argument("--splits", type=int, default=1, help="random splits (default 1)")
    parser.add_argument("--only", default="", help="words in the names of models to run")
    parser.add_argument("--tune", action="store_true", help="choose the settings again")
    parser.add_argument("--quick", action="store_true", help="one split, three epochs")
    options = parse(parser)
    if options.ratings and (options.folds or options.tune):
        parser.error("--folds and --tune are of the canonical folds of --data")
    every = "1,3,5" if options.tune else ",".join(str(k + 1) for k in range(N_FOLDS))
    chosen = (options.folds or ("1" if options.quick else every)).split(",")
    if unknown := set(chosen) - {str(k + 1) for k in range(N_FOLDS)}:
        parser.error(f"no such fold: {', '.join(sorted(unknown))}")
    options.folds = sorted(int(k) for k in set(chosen))
    options.shortened = {"n_iter": 3} if options.quick else {}
    machines = ("rating_rbm", "user_rbm", "interest_rbm") if options.quick else ()
    options.nested = {f"{machine}__n_iter": 3 for machine in machines}
    return options


def main():
    """Print the tables."""
    options = read_options()
    print(describe_machine())
    options.installed = installed(PACKAGES)
    if options.quick:
        print("\nQuick, not a measurement")
    data = load(options.data or options.ratings)
    warm_up()
    if options.tune:
        tune(data, options)
    else:
        study(data, options)


if __name__ == "__main__":
    main()
