"""
=====================================
Ratings of films, and genres in them
=====================================

A user of a film service rates few of its films. A :class:`~skrbm.SoftmaxRBM` reads a user as a row
of ratings, of which most are missing. It predicts a missing rating as a distribution over one to
five stars. This example draws ratings from a world whose truth is known. Users love some genres
and avoid other genres, and nobody tells the RBM the genre of a film. Hidden ratings measure the
predictions, also for users whom the RBM has never seen. Simple baselines and the best possible
prediction stand beside the RBM.
"""

# %%
# A world of five genres
# ----------------------
# A film belongs to one genre or to two, and is better or worse than other films. A user loves,
# ignores or dislikes each genre, and is generous or harsh. The sum of these effects is an opinion.
# An opinion with noise, rounded to whole stars, is a rating. Nearly every second user rates the
# best-known films, and one user in ten rates most other films. Users see more films of the genres
# that they love, so the choice of films that a user has rated reveals the user's taste.

import numpy as np
from scipy.special import ndtr

GENRES = np.array(["action", "comedy", "drama", "horror", "romance"])
STARS = np.arange(1, 6)
N_USERS, N_FILMS, N_NEW = 2800, 300, 400  # the last 400 users come after the fit
NOISE = 0.7
rng = np.random.default_rng(0)

belongs = np.zeros((N_FILMS, len(GENRES)), dtype=bool)
for _ in range(2):  # the same genre twice leaves a film with one
    belongs[np.arange(N_FILMS), rng.integers(len(GENRES), size=N_FILMS)] = True
taste = rng.choice([-1, 0, 1], size=(N_USERS, len(GENRES)), p=[0.35, 0.3, 0.35])
appeal = taste @ (belongs / belongs.sum(axis=1, keepdims=True)).T
opinion = 3.2 + 0.35 * rng.normal(size=(N_USERS, 1)) + 0.45 * rng.normal(size=N_FILMS)
opinion = opinion + 1.2 * appeal

popularity = rng.permutation(1 / np.arange(10, N_FILMS + 10) ** 0.7)
p_rated = rng.lognormal(0, 0.6, size=(N_USERS, 1)) * popularity * np.exp(1.2 * appeal)
p_rated *= 36 * N_USERS / p_rated.sum()  # about 35 ratings a user
users, films = np.nonzero(rng.random(p_rated.shape) < p_rated)
ratings = opinion[users, films] + NOISE * rng.normal(size=len(users))
ratings = np.clip(np.rint(ratings), 1, 5).astype(np.float32)
print(f"{len(ratings)} ratings, {len(ratings) / p_rated.size:.0%} of all pairs")

# %%
# Hide a tenth of the ratings
# ---------------------------
# In a sparse matrix, an entry that is not stored is missing; it is not a zero. A dense array would
# hold NaN in its place. ``X.toarray()`` would hold zeros, which nobody gave as a rating. An RBM
# that has learned its categories from ``X`` refuses such a row, and its message names the zero.

from scipy.sparse import csr_array

shown = rng.random(len(ratings)) >= 0.1
hidden = ~shown
X = csr_array((ratings[shown], (users[shown], films[shown])), shape=p_rated.shape)
X_train, X_new = X[:-N_NEW], X[-N_NEW:]
queries = users[hidden], films[hidden]

# %%
# Baselines, and the best one can do
# ----------------------------------
# The first baseline is the mean rating. The second baseline adds a bias for each film and a bias
# for each user. The biases of films come from the users of the fit, and the biases of users come
# from the ratings that are not hidden. Each bias shrinks towards zero as if the film or user had
# five more ratings that are average. The best prediction is the expected rating given the opinion
# before noise, which nobody knows.


def biases(users, films, ratings, n_iter=10):
    """The mean rating, the biases of users and the biases of films."""
    old = users < N_USERS - N_NEW
    mean, of_film = ratings[old].mean(dtype=float), np.zeros(N_FILMS)
    for _ in range(n_iter):
        of_user = np.bincount(users, ratings - mean - of_film[films], N_USERS)
        of_user /= np.bincount(users, minlength=N_USERS) + 5
        rest = ratings - mean - of_user[users]
        of_film = np.bincount(films[old], rest[old], N_FILMS)
        of_film /= np.bincount(films[old], minlength=N_FILMS) + 5
    return mean, of_user, of_film


mean, of_user, of_film = biases(users[shown], films[shown], ratings[shown])
below = ndtr((STARS[:-1] + 0.5 - opinion[queries][:, np.newaxis]) / NOISE)
true_proba = np.diff(below, axis=1, prepend=0, append=1)
predictions = {
    "mean rating": np.full(hidden.sum(), mean),
    "user + film biases": mean + of_user[queries[0]] + of_film[queries[1]],
}

# %%
# Two models
# ----------
# In the plain RBM a hidden unit sees which stars a user gave. In the conditional RBM a hidden unit
# also sees which films the user has rated at all, through a second set of weights
# (``conditional_components_``). Neither fit sees the new users. ``predict_ratings`` accepts any
# rows, and finds the known ratings of a user in the row.
#
# The prediction is the expectation over the stars, which has the smallest squared error. The most
# probable star has a larger error than the biases. The conditional RBM improves the predictions
# for users with few ratings by two hundredths of a star. For such users the choice of films tells
# something that the few ratings do not tell.

from time import perf_counter

from skrbm import SoftmaxRBM

for conditional in (False, True):
    rbm = SoftmaxRBM(50, conditional=conditional, random_state=0)
    start = perf_counter()
    rbm.fit(X_train)
    name = "conditional RBM" if conditional else "RBM"
    print(f"{name}: {rbm.n_iter_} epochs in {perf_counter() - start:.0f} s")
    predictions[name] = rbm.predict_ratings(X, *queries)

proba = rbm.conditional_proba(X, *queries)
predictions["planted truth"] = true_proba @ STARS
predictions["conditional RBM, most probable star"] = STARS[proba.argmax(axis=1)]

new, n_known = queries[0] >= N_USERS - N_NEW, np.diff(X.indptr)[queries[0]]
groups = {
    "users of the fit": ~new,
    "new users": new,
    "< 10 ratings": n_known < 10,
    "10 to 40": (n_known >= 10) & (n_known <= 40),
    "> 40": n_known > 40,
}
print(f"\n{'RMSE of hidden ratings':<36}" + "".join(f"{group:>18}" for group in groups))
errors = {}
for name, predicted in predictions.items():
    squares = (predicted - ratings[hidden]) ** 2
    errors[name] = [np.sqrt(squares[group].mean()) for group in groups.values()]
    print(f"{name:<36}" + "".join(f"{error:>18.3f}" for error in errors[name]))

# %%
# The genres
# ----------
# ``top_features`` lists the films whose ratings a hidden unit raises most when the unit is on. The
# table shows the share of the first ten films that belong to one genre, which is the genre with
# the largest share. For ten films drawn at random this share is 56 % on average.

top = [rbm.top_features(unit)[0] for unit in range(50)]
shares = np.array([belongs[films].mean(axis=0) for films in top])

# For each hidden unit and genre: the mean slope of the weights over the stars, less the mean slope
# over all films.
slopes = np.empty((50, N_FILMS))
for unit in range(50):
    ids, scores = rbm.top_features(unit, N_FILMS)
    slopes[unit, ids] = scores
by_genre = slopes @ (belongs / belongs.sum(axis=0)) - slopes.mean(axis=1, keepdims=True)

print(f"\n{'genre':<10}{'all films':>10}   hidden units that match it best: share of top 10 films")
for g, genre in enumerate(GENRES):
    own = np.flatnonzero(shares.argmax(axis=1) == g)
    own = own[np.argsort(-by_genre[own, g])]
    listed = ", ".join(f"{unit} ({shares[unit, g]:.0%})" for unit in own[:5])
    print(f"{genre:<10}{belongs[:, g].mean():>10.0%}   {listed}")
print(f"All 50 units: {shares.max(axis=1).mean():.0%} on average")

# %%
# A guest
# -------
# A guest gives five stars to each of the five best-known films of pure horror. The guest gives two
# stars to each of the five best-known films without horror, and asks what to watch. The RBM needs
# only a row of these ten ratings. Most of the recommended films have horror in them, and none is
# one of the ten.

best_known = np.argsort(-popularity)
horror = belongs[:, GENRES == "horror"][:, 0]
pure = belongs.sum(axis=1) == 1
liked = best_known[(horror & pure)[best_known]][:5]
disliked = best_known[~horror[best_known]][:5]
guest = np.full((1, N_FILMS), np.nan, dtype=np.float32)
guest[0, liked], guest[0, disliked] = 5, 2

recommended, expected = rbm.recommend(guest, n_items=8)
print("\nfor the guest        expected stars")
for film, rating in zip(recommended[0], expected[0], strict=True):
    print(f"film {film:<4}{rating:>8.1f}   {' and '.join(GENRES[belongs[film]])}")

# %%
# The picture
# -----------
# The lower panel shows that most hidden units speak for one genre (red), and that some speak
# against another genre (blue). The upper panels on the right show one film and three new users,
# each with forty known ratings or more. The bars are the probabilities of the ratings in the
# conditional RBM, which has not seen the rating given. The dots are the probabilities in the
# planted truth.

of_new = np.flatnonzero(new & pure[queries[1]] & (n_known >= 40))
genre_of = belongs.argmax(axis=1)
liking = taste[queries[0], genre_of[queries[1]]]
asked = np.zeros((3, N_FILMS), dtype=int)
np.add.at(asked, (liking[of_new] + 1, queries[1][of_new]), 1)
film = asked.min(axis=0).argmax()  # with hidden ratings by users of each taste
examples = {
    verb: of_new[(queries[1][of_new] == film) & (liking[of_new] == like)][0]
    for verb, like in [("loves", 1), ("ignores", 0), ("dislikes", -1)]
}

try:
    import matplotlib.pyplot as plt
except ImportError:
    print('\nNo picture without matplotlib: pip install "skrbm[plot]"')
else:
    figure, axes = plt.subplot_mosaic(
        [["errors", *examples], ["genres"] * 4],
        figsize=(11, 6.4),
        width_ratios=[2.2, 1, 1, 1],
        height_ratios=[1.15, 1],
        layout="constrained",
    )
    names = ["mean rating", "user + film biases", "RBM", "conditional RBM", "planted truth"]
    ax = axes["errors"]
    for k, (group, colour) in enumerate([("users of the fit", "C0"), ("new users", "C9")]):
        heights = [errors[name][k] for name in names]
        bars = ax.barh(np.arange(5) + 0.38 * k, heights, 0.36, color=colour)
        ax.bar_label(bars, fmt="%.2f", padding=3)
        ax.text(0.03, 0.38 * k, group, va="center", color="white")
    ax.set(yticks=np.arange(5) + 0.19, yticklabels=names, xlim=(0, 1.25), xlabel="RMSE in stars")
    ax.set_title("Error of hidden ratings")
    ax.invert_yaxis()

    for verb, q in examples.items():
        ax = axes[verb]
        colours = np.where(ratings[hidden][q] == STARS, "darkorange", "C0")
        ax.bar(STARS, proba[q], color=colours)
        ax.plot(STARS, true_proba[q], "ko", markersize=5)
        ax.set(xticks=STARS, yticks=[0, 0.5, 1], ylim=(0, 1))
        ax.set_xlabel("stars\norange: the rating given, dots: the planted truth").set_in_layout(
            False
        )
        ax.set_title(f"A new user who\n{verb} {GENRES[genre_of[film]]}")
        ax.tick_params(labelleft=verb == "loves")
    axes["loves"].set_ylabel("probability")
    axes["loves"].set_xlabel("stars\n")
    axes["dislikes"].set_xlabel("stars\n")

    # Units that speak for the same genre stand side by side, and the strongest unit comes first.
    order = np.lexsort((-by_genre.max(axis=1), by_genre.argmax(axis=1)))
    limit = np.quantile(np.abs(by_genre), 0.99)
    ax = axes["genres"]
    image = ax.imshow(by_genre[order].T, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    ax.set(yticks=range(5), yticklabels=GENRES, xlabel="hidden unit, by its genre", xticks=[])
    ax.set_title("Genres the hidden units speak for, beyond films in general")
    figure.colorbar(image, ax=ax, label="nats per star", pad=0.01)

    if __name__ == "__main__":
        from pathlib import Path

        path = Path(__file__).with_suffix(".png")
        figure.savefig(path, dpi=150)
        print(f"\nPicture: {path}")
