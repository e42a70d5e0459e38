"""Which model for counts and for mixed tables: the figures of docs/which_model.rst.

    python tests/benchmarks/study_tables.py [--only counts,mixed,missing]

counts   Bags of words of ``make_multilabel_classification``, one topic each: how often
         LogisticRegression on the features knows the topic of 878 held-out rows, with 60 labels
         and with 878. The machines learn from all 878 training rows. C is chosen by
         cross-validation on the labelled rows.
mixed    scikit-learn's table of diabetes patients, nine numbers and a sex, with the progression
         of the illness as a further column. Each of five folds is held out; in its rows three
         columns are hidden in turn, and predicted from the other entries of the row. Errors are
         in standard deviations of the column, of the sex the share of right answers.
missing  The same with a fifth of all entries missing at random, those to predict aside.
"""

import argparse
import warnings

import numpy as np
from sklearn.datasets import load_diabetes, make_multilabel_classification
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits
from timing import chosen, describe_machine, parse, table

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

# --- counts ------------------------------------------------------------------------------------


def bags_of_words():
    """Counts of 100 words in rows of one topic each, and the topics; halves to learn and judge."""
    X, Y = make_multilabel_classification(
        3000, 100, n_classes=6, n_labels=1, length=60, allow_unlabeled=False, random_state=0
    )
    one = Y.sum(axis=1) == 1
    return train_test_split(X[one], Y[one].argmax(axis=1), test_size=0.5, random_state=0)


def up_to_three(X):
    """Counts of 3 and more as one category."""
    return np.minimum(X, 3)


def logarithms():
    """Logarithms of counts, standardised."""
    return FunctionTransformer(np.log1p), StandardScaler()


def counted_features():
    """Features of counts by name."""
    real = {"n_components": 64, "n_iter": 40, "random_state": 0}
    return {
        "log counts themselves": make_pipeline(*logarithms()),
        "seen or not, BernoulliRBM": make_pipeline(Binarizer(), BernoulliRBM(64, random_state=0)),
        "log counts, GaussianBernoulliRBM": make_pipeline(
            *logarithms(), GaussianBernoulliRBM(**real)
        ),
        "0, 1, 2, 3 and more, SoftmaxRBM": make_pipeline(
            FunctionTransformer(up_to_three), SoftmaxRBM(64, random_state=0)
        ),
        "the same, ordinal": make_pipeline(
            FunctionTransformer(up_to_three), SoftmaxRBM(64, ordinal=True, random_state=0)
        ),
    }


def counts():
    """Print accuracies with few labels and with many."""
    X, X_test, y, y_test = bags_of_words()
    rows = []
    for name, features in counted_features().items():
        H, H_test = features.fit(X).transform(X), features.transform(X_test)
        shares = []
        for n_labels in (60, len(y)):
            search = GridSearchCV(LogisticRegression(max_iter=5000), {"C": [0.01, 0.1, 1, 10]})
            found = search.fit(H[:n_labels], y[:n_labels])
            shares.append(f"{found.score(H_test, y_test):.3f}")
        rows.append([name, *shares])
    print(table("Counts: accuracy", ["", "60 labels", f"{len(y)} labels"], rows), flush=True)


# --- a mixed table -----------------------------------------------------------------------------

TARGETS = ("bmi", "target", "sex")


def patients():
    """The table, and the place of each column to predict."""
    frame = load_diabetes(as_frame=True, scaled=False).frame
    return frame.to_numpy(dtype=float), [frame.columns.get_loc(name) for name in TARGETS]


def edges(column, n_bins):
    """Inner edges of bins with about as many entries each; between its two values for a sex."""
    values = np.unique(column[~np.isnan(column)])
    if len(values) == 2:
        return values[:1] + 0.5
    return np.unique(np.nanquantile(column, np.arange(1, n_bins) / n_bins))


def binned(X, reference, n_bins):
    """The number of the bin of each entry; NaN stays."""
    numbers = np.full(X.shape, np.nan)
    for column, (values, known) in enumerate(zip(X.T, reference.T, strict=True)):
        there = ~np.isnan(values)
        numbers[there, column] = np.digitize(values[there], edges(known, n_bins))
    return numbers


def by_categories(X, X_test, column, seed, *, n_bins=8, **settings):
    """Expectation of a column by SoftmaxRBM: probabilities of bins times the bins' means."""
    given = {"categories": "auto", "handle_unknown": "ignore", "learning_rate": 0.1, "n_iter": 60}
    numbers, asked = binned(X, X, n_bins), binned(X_test, X, n_bins)
    rbm = SoftmaxRBM(32, random_state=seed, **given | settings).fit(numbers)
    asked[:, column] = np.nan
    rows = np.arange(len(asked))
    probabilities = rbm.conditional_proba(asked, rows, np.full(len(asked), column))
    codes = rbm.categories_[column]
    means = [np.nanmean(X[numbers[:, column] == code, column]) for code in codes]
    return np.asarray(probabilities)[:, : len(codes)] @ means


def by_numbers(X, X_test, column, seed, *, noise_variance):
    """Conditional mean of a column by GaussianBernoulliRBM; gaps of training filled with means."""
    scaler = make_pipeline(SimpleImputer(), StandardScaler()).fit(X)
    rbm = GaussianBernoulliRBM(
        32, noise_variance=noise_variance, learning_rate=0.1, n_iter=100, random_state=seed
    ).fit(scaler.transform(X))
    scale = scaler[-1]
    asked = (X_test - scale.mean_) / scale.scale_
    asked[:, column] = np.nan
    completed = rbm.impute(asked, random_state=seed)[:, column]
    return completed * scale.scale_[column] + scale.mean_[column]


def by_regressions(X, X_test, column, seed):
    """scikit-learn's imputation by a linear regression of each column on the others."""
    asked = X_test.copy()
    asked[:, column] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of iterations that do not settle
        return IterativeImputer(random_state=seed).fit(X).transform(asked)[:, column]


def by_means(X, X_test, column, seed):
    """The mean of the column."""
    return np.full(len(X_test), np.nanmean(X[:, column]))


MODELS = {
    "means": (by_means, {}),
    "IterativeImputer": (by_regressions, {}),
    "GaussianBernoulliRBM, noise 1": (by_numbers, {"noise_variance": 1.0}),
    "GaussianBernoulliRBM, noise 0.5": (by_numbers, {"noise_variance": 0.5}),
    "GaussianBernoulliRBM, noise learned": (by_numbers, {"noise_variance": "learned"}),
    "SoftmaxRBM, 4 bins": (by_categories, {"n_bins": 4}),
    "SoftmaxRBM, 8 bins": (by_categories, {}),
    "SoftmaxRBM, 8 bins, ordinal": (by_categories, {"ordinal": True}),
    "SoftmaxRBM, 8 bins, default rate, 40 epochs": (
        by_categories,
        {"learning_rate": 0.03, "n_iter": 40},
    ),
}


def error(guess, truth, of_sex):
    """Root mean square, in deviations of the column; of a sex the share of right answers."""
    if of_sex:
        return np.mean((guess > 1.5) == (truth > 1.5))
    return np.sqrt(np.mean((guess - truth) ** 2)) / truth.std()


def mixed(missing=0.0):
    """Print errors of three columns."""
    table_of, columns = patients()
    rng = np.random.default_rng(0)
    gaps = rng.random(table_of.shape) < missing
    X = np.where(gaps, np.nan, table_of)
    rows = []
    for name, (model, settings) in MODELS.items():
        found = []
        for seed, (a, b) in enumerate(KFold(5, shuffle=True, random_state=0).split(X)):
            found.append(
                [
                    error(model(X[a], X[b], c, seed, **settings), table_of[b, c], target == "sex")
                    for c, target in zip(columns, TARGETS, strict=True)
                ]
            )
        rows.append([name, *(f"{value:.3f}" for value in np.mean(found, axis=0))])
    header = ["", "bmi, error", "progression, error", "sex, right"]
    title = f"Diabetes, {missing:.0%} of the entries missing"
    print(table(title, header, rows), flush=True)


def main():
    """Print the tables."""
    sections = {"counts": counts, "mixed": mixed, "missing": lambda: mixed(0.2)}
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default=",".join(sections), help="sections, comma-separated")
    options = parse(parser)
    names = chosen(parser, options, sections)
    print(describe_machine())
    with threadpool_limits(1, user_api="blas"):  # the matrices are small
        for name in names:
            sections[name]()


if __name__ == "__main__":
    main()
