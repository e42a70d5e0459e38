"""
==================================
A recommender, and genres it finds
==================================

Users of a film service rate few of its films. What would a user say of another film, and which
film should come next? :class:`~skrbm.RBMRecommender` answers both questions. It learns from a data
frame of triples: user, film, stars. This example draws the triples from a world whose truth is
known. Users love some genres and avoid others, and nobody tells the recommender the genre of a
film. Baselines and the best possible answers stand beside the recommender.

The frames are those of pandas: ``pip install pandas``.
"""

# %%
# A world of five genres
# ----------------------
# A film belongs to one genre or to two, and is better or worse than other films. A user loves,
# ignores or dislikes each genre, and is generous or harsh. The sum of these effects is an opinion.
# An opinion with noise, rounded to whole stars, is a rating. Well-known films have more ratings
# than others, and users see more films of the genres that they love.

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.special import ndtr

GENRES = np.array(["Action", "Comedy", "Drama", "Horror", "Romance"])
STARS = np.arange(1, 6)
N_USERS, N_FILMS, NOISE = 900, 1300, 0.7
rng = np.random.default_rng(0)

belongs = np.zeros((N_FILMS, len(GENRES)), dtype=bool)
for _ in range(2):  # the same genre twice leaves a film with one
    belongs[np.arange(N_FILMS), rng.integers(len(GENRES), size=N_FILMS)] = True
taste = rng.choice([-1, 0, 1], size=(N_USERS, len(GENRES)), p=[0.35, 0.3, 0.35])
appeal = taste @ (belongs / belongs.sum(axis=1, keepdims=True)).T
opinion = 3.2 + 0.35 * rng.normal(size=(N_USERS, 1)) + 0.45 * rng.normal(size=N_FILMS)
opinion = opinion + 1.2 * appeal

fame = rng.permutation(1 / np.arange(10, N_FILMS + 10) ** 0.7)
p_rated = rng.lognormal(0, 0.6, size=(N_USERS, 1)) * fame * np.exp(1.2 * appeal)
p_rated = np.minimum(p_rated * 80 * N_USERS / p_rated.sum(), 1)  # some 77 ratings a user
users, films = np.nonzero(rng.random(p_rated.shape) < p_rated)
stars = opinion[users, films] + NOISE * rng.normal(size=len(users))

film_ids = np.array([f"f{film:04}" for film in range(N_FILMS)])
titles = {
    film_id: f"{' & '.join(GENRES[own])} no. {film}"
    for film, (film_id, own) in enumerate(zip(film_ids, belongs, strict=True))
}
ratings = pd.DataFrame(
    {
        "user": [f"user {user}" for user in users],
        "film": film_ids[films],
        "stars": np.clip(np.rint(stars), 1, 5),
    }
)
print(f"{len(ratings)} ratings, {len(ratings) / p_rated.size:.0%} of all pairs")
print(ratings.sample(3, random_state=0).to_string(index=False))

# %%
# Predict ratings
# ---------------
# The recommender is a regressor of scikit-learn on pairs of user and film. The ids stay as they
# are. ``train_test_split`` holds out ratings, so that nearly all users and films are known when
# their ratings are tested. ``rating_scores`` puts the errors beside those of biases: the mean
# rating plus a bias of the user and a bias of the film.
#
# Two machines predict ratings. In one a film is a row and users are the features. In the other a
# user is a row. The default, ``by="both"``, blends their distributions, with a weight that ``fit``
# learns. The best prediction is the expected rating given the opinion before noise, which nobody
# knows.

from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

from skrbm import RBMRecommender

PAIR = ["user", "film"]
train, test = train_test_split(ratings, test_size=0.2, random_state=0)
rmse = {}
for by in ("users", "items", "both"):
    recommender = RBMRecommender(by=by, random_state=0)
    start = perf_counter()
    recommender.fit(train[PAIR], train["stars"])
    seconds = perf_counter() - start
    scores = recommender.rating_scores(test[PAIR], test["stars"])
    rmse["user + film biases"] = scores["biases"]["rmse"]
    rmse[f'RBMs, by="{by}"'] = scores["model"]["rmse"]
    print(f'by="{by}": fit in {seconds:.1f} s')


def true_distribution(users, films):
    below = ndtr((STARS[:-1] + 0.5 - opinion[users, films][:, np.newaxis]) / NOISE)
    return np.diff(below, axis=1, prepend=0, append=1)


asked = users[test.index], films[test.index]
rmse["planted truth"] = root_mean_squared_error(test["stars"], true_distribution(*asked) @ STARS)
print(f"Share of the machine by items in the blend: {recommender.item_weight_:.2f}")
print("\nRMSE of held-out ratings")
for name, error in rmse.items():
    print(f"{name:<22}{error:.3f}")

# %%
# Whatever takes a regressor takes a recommender. The folds are shuffled: in a frame that is sorted
# by user a fold without shuffling would hold out whole users. One machine is enough here.

from sklearn.model_selection import KFold, cross_val_score

errors = -cross_val_score(
    RBMRecommender(by="items", random_state=0),
    ratings[PAIR],
    ratings["stars"],
    cv=KFold(3, shuffle=True, random_state=0),
    scoring="neg_root_mean_squared_error",
)
print("\nRMSE of three folds:", errors.round(3))

# %%
# Rank films
# ----------
# Which films will a user see next, and like? A third machine knows only which films users have
# seen, and gives the probability of *interest*. The default ranking, *liking*, is by this
# probability times that of many stars. ``ranking_scores`` asks how many of the held-out films with
# four stars or more are among the ten best, beside the most popular films, which are the same for
# everybody. The expected rating is a poor guide: most films that a user would love are films that
# the user never comes across. The best ranking is that by the planted probability of a rating of
# four or five.

true_scores = true_distribution(*np.indices(p_rated.shape).reshape(2, -1))[:, 3:].sum(axis=1)
true_scores = true_scores.reshape(p_rated.shape) * p_rated
true_scores[users[train.index], films[train.index]] = -1
true_best = np.argsort(-true_scores, axis=1)[:, :10]

question = {"X": test[PAIR], "y": test["stars"], "k": 10, "relevant_from": 4}
by = {
    rank_by: recommender.ranking_scores(**question, rank_by=rank_by)
    for rank_by in ("rating", "interest", "liking")
}
liked = np.zeros(p_rated.shape, dtype=bool)
liked[asked] = test["stars"] >= 4
hits = np.take_along_axis(liked, true_best, axis=1)[liked.any(axis=1)]
discounts = 1 / np.log2(np.arange(2, 12))
reachable = np.minimum(liked.sum(axis=1)[liked.any(axis=1)], 10)
ndcg = {
    "expected rating": by["rating"]["model"]["ndcg"],
    "popularity": by["liking"]["popularity"]["ndcg"],
    "interest": by["interest"]["model"]["ndcg"],
    "liking": by["liking"]["model"]["ndcg"],
    "planted truth": (hits @ discounts / np.cumsum(discounts)[reachable - 1]).mean(),
}
print("\nNDCG of the first ten films")
for name, value in ndcg.items():
    print(f"{name:<22}{value:.3f}")

# %%
# Recommend
# ---------
# ``recommend`` returns arrays of ids and scores or, with ``as_frame=True``, a frame with titles.
# Films that the user has rated are left out. ``similar_items`` names the films that interest the
# same users: mostly films of the same genre.

lover = f"user {np.flatnonzero((taste == [1, -1, 0, -1, 1]).all(axis=1))[0]}"
print(f"\nFor {lover}, who loves action and romance, and avoids comedy and horror:")
print(recommender.recommend([lover], 5, titles=titles, as_frame=True).to_string(index=False))

pure = belongs.sum(axis=1) == 1
best_known = np.argsort(-fame)
horror = belongs[:, GENRES == "Horror"][:, 0]
known_horror = film_ids[best_known[(horror & pure)[best_known]][0]]
similar, similarities = recommender.similar_items([known_horror], 5)
print(f"\nSimilar to {titles[known_horror]}:")
for film, similarity in zip(similar[0], similarities[0], strict=True):
    print(f"{similarity:6.2f}  {titles[film]}")

# %%
# A new user
# ----------
# A guest gives five stars to five well-known films of pure horror, and two stars to five others
# without horror. ``add`` tells the fitted machines of these ratings. Nothing is learned: machines
# with users as rows answer for any row, and the guest's ratings are a row. ``rank_by`` says what
# the guest asks for: films that users like the guest watch and like, or films with the highest
# expected rating.

guest = pd.DataFrame({"user": "guest", "film": "", "stars": [5.0] * 5 + [2.0] * 5})
guest.loc[:4, "film"] = film_ids[best_known[(horror & pure)[best_known]][:5]]
guest.loc[5:, "film"] = film_ids[best_known[~horror[best_known]][:5]]
recommender.add(guest[PAIR], guest["stars"])
for rank_by in ("liking", "rating"):
    best = recommender.recommend(["guest"], 5, rank_by=rank_by, titles=titles, as_frame=True)
    print(f"\nFor the guest, by {rank_by}:")
    print(best.drop(columns="user").to_string(index=False))

# %%
# The genres
# ----------
# ``top_features`` of the machine with users as rows lists the films whose ratings a hidden unit
# raises most when the unit is on. The table shows the share of the first ten films that belong to
# one genre, which is the genre with the largest share. For ten films drawn at random this share is
# 56 % on average.

machine = recommender.user_rbm_
N_UNITS = machine.components_.shape[0]
place = {film_id: film for film, film_id in enumerate(film_ids)}
film_of = np.array([place[film_id] for film_id in recommender.item_ids_])
shares = np.array(
    [belongs[film_of[machine.top_features(unit)[0]]].mean(axis=0) for unit in range(N_UNITS)]
)

# For each hidden unit and genre: the mean slope of the weights over the stars, less the mean slope
# over all films.
slopes = np.zeros((N_UNITS, N_FILMS))
for unit in range(N_UNITS):
    features, slope = machine.top_features(unit, N_FILMS)
    slopes[unit, film_of[features]] = slope
by_genre = slopes @ (belongs / belongs.sum(axis=0)) - slopes.mean(axis=1, keepdims=True)

print(f"\n{'genre':<10}{'all films':>10}   hidden units that match it best: share of top 10 films")
for g, genre in enumerate(GENRES):
    own = np.flatnonzero(shares.argmax(axis=1) == g)
    own = own[np.argsort(-by_genre[own, g])]
    listed = ", ".join(f"{unit} ({shares[unit, g]:.0%})" for unit in own[:5])
    print(f"{genre:<10}{belongs[:, g].mean():>10.0%}   {listed}")
print(f"All {N_UNITS} units: {shares.max(axis=1).mean():.0%} on average")

# %%
# The picture
# -----------
# Above on the left stand errors and rankings. Beside them are one film and three users, whose
# ratings of the film were held out. The bars are the probabilities of the stars by
# ``predict_distribution``, the dots those of the planted truth. The lower panel shows that most
# hidden units speak for one genre (red), and that some speak against another genre (blue).

genre_of = belongs.argmax(axis=1)
liking = taste[asked[0], genre_of[asked[1]]]
counts = np.zeros((3, N_FILMS), dtype=int)
np.add.at(counts, (liking + 1, asked[1]), 1)
film = np.where(pure, counts.min(axis=0), 0).argmax()  # rated by users of each taste
examples = {
    verb: np.flatnonzero((asked[1] == film) & (liking == like))[0]
    for verb, like in [("loves", 1), ("ignores", 0), ("dislikes", -1)]
}
chosen = list(examples.values())
proba = recommender.predict_distribution(test[PAIR].iloc[chosen])
true_proba = true_distribution(asked[0][chosen], asked[1][chosen])

figure, axes = plt.subplot_mosaic(
    [["rmse", *examples], ["ndcg", *examples], ["genres"] * 4],
    figsize=(11, 7),
    width_ratios=[1.9, 1, 1, 1],
    height_ratios=[1, 0.85, 1.35],
    layout="constrained",
)
panels = [
    ("rmse", rmse, "RMSE of held-out stars: small is good"),
    ("ndcg", ndcg, "NDCG of ten films: large is good"),
]
for panel, values, title in panels:
    ax = axes[panel]
    ours = [not name.startswith(("user", "popularity", "planted")) for name in values]
    bars = ax.barh(list(values), values.values(), color=np.where(ours, "C0", "0.7"))
    ax.bar_label(bars, fmt="%.3f", padding=3)
    ax.set(xlim=(0, 1.2 * max(values.values())), xticks=[])
    ax.set_title(title, fontsize="medium", loc="left")
    ax.invert_yaxis()
    ax.spines[["top", "right", "bottom"]].set_visible(False)

for (verb, q), p, true_p in zip(examples.items(), proba, true_proba, strict=True):
    ax = axes[verb]
    given = test["stars"].iloc[q] == STARS
    ax.bar(STARS, p, color=np.where(given, "darkorange", "C0"))
    ax.plot(STARS, true_p, "ko", markersize=5)
    ax.set(xticks=STARS, yticks=[0, 0.5, 1], ylim=(0, 1), xlabel="stars")
    ax.set_title(f"A user who\n{verb} {GENRES[genre_of[film]].lower()}", fontsize="medium")
    ax.tick_params(labelleft=verb == "loves")
axes["loves"].set_ylabel("probability")
axes["ignores"].set_xlabel("stars\norange: the rating given, dots: the planted truth")

# Units that speak for the same genre stand side by side, and the strongest unit comes first.
order = np.lexsort((-by_genre.max(axis=1), by_genre.argmax(axis=1)))
limit = np.quantile(np.abs(by_genre), 0.99)
ax = axes["genres"]
image = ax.imshow(by_genre[order].T, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
ax.set(yticks=range(5), yticklabels=GENRES, xlabel="hidden unit, by its genre", xticks=[])
ax.set_title("Genres the hidden units speak for, beyond films in general", fontsize="medium")
figure.colorbar(image, ax=ax, label="nats per star", pad=0.01)

plt.show()
