"""Centred gradients: against naive sums, finite differences, and learning of flipped bits."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from skrbm import BernoulliRBM
from skrbm._input.numbers import NumberRows
from skrbm._training.centring import Centring, Ordinary
from skrbm._training.phases import GradientSums, contrast

from ..helpers.calls import phases_of
from ..helpers.comparison import assert_same_bits
from ..helpers.machines import Categorical, Real, some_cases
from ..helpers.models import BERNOULLI, GAUSSIAN, SOFTMAX
from ..helpers.ratings import HALF_STARS
from ..helpers.softmax_machines import one_hot, random_rows
from ..helpers.training import data_of, settings, state_at_rest
from ..oracles import bernoulli
from ..oracles.common import finite_differences, states
from ..oracles.gaussian import EnumeratedGaussianRBM
from ..oracles.softmax import EnumeratedSoftmaxRBM, feature_of

CASES = some_cases(scale=1)
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


class Twin:
    """What a machine is, in plain arrays: statistics of rows that meet weights, and centers."""

    def __init__(self, case, rng):
        self.case = case
        self.model = case.model()
        self.W, self.b, self.c = case.arrays
        self.scale = case.at(1).s if isinstance(case, Real) else np.ones(len(self.b))
        self.data_mean = rng.uniform(0.1, 0.9, len(self.b))
        if isinstance(case, Categorical):
            self.data_mean /= 3  # shares of all rows: with missing entries they add up to less
        self.hidden_mean = rng.uniform(0.1, 0.9, len(self.c))
        self.mu = self.data_mean / self.scale
        self.centring = Centring(self.data_mean.copy(), self.hidden_mean.copy())

    @property
    def centred(self):
        return self.centring.coordinates(self.model)

    def rows(self, rng, n):
        """Rows with missing entries, if the machine knows any; as the twin and the layer do."""
        if not isinstance(self.case, Categorical):
            v = rng.normal(0.3, 1, (n, 4)) if isinstance(self.case, Real) else rng.random((n, 4))
            return v, v
        rows = random_rows(rng, n, self.case.machine.sizes)
        return rows, one_hot(rows)

    def phi(self, v):
        if not isinstance(self.case, Categorical):
            return v / self.scale
        out = np.zeros((len(v), len(self.b)))
        for r, row in enumerate(v):
            out[r, list(row)] = 1
        return out

    def observed(self, phi):
        """Which features a row observes; of shares of categories, the shares of that."""
        offsets = self.case.machine.oracle.offsets
        return np.array([phi[..., a:b].sum(axis=-1) for a, b in itertools.pairwise(offsets)]).T


def plain_sums(twin, v, h, row_weights):
    """``sum_r w_r (phi - mu) (h - lambda)`` and so on, one row after the other."""
    parts = [np.zeros_like(twin.W), np.zeros_like(twin.c), np.zeros_like(twin.b)]
    phi = twin.phi(v)
    conditional = twin.case.conditional
    parts += [np.zeros_like(twin.case.machine.U)] if conditional else []
    for r, w in enumerate(row_weights):
        parts[0] += w * np.outer(phi[r] - twin.mu, h[r] - twin.hidden_mean)
        parts[1] += w * (h[r] - twin.hidden_mean)
        parts[2] += w * phi[r] / twin.scale
        if conditional:
            distance = twin.observed(phi)[r] - twin.observed(twin.mu)
            parts[3] += w * np.outer(distance, h[r] - twin.hidden_mean)
    return parts


@cases
@pytest.mark.parametrize("weighted", [False, True])
def test_centred_sums_equal_their_definition(case, weighted, rng):
    """The model's rows of categories observe what the rows of data observe, one by one."""
    twin = Twin(case, rng)
    v_pos, rows_pos = twin.rows(rng, 6)
    v_neg, rows_neg = twin.rows(rng, 6 if isinstance(case, Categorical) else 9)
    if isinstance(case, Categorical):
        first = case.machine.oracle.offsets
        v_neg = [tuple(first[feature_of(code, first)] for code in row) for row in v_pos]
        rows_neg = one_hot(v_neg)
    n_neg, paired = len(v_neg), isinstance(case, Categorical)
    h = rng.random((6 + n_neg, 3))
    weights = rng.uniform(0.2, 3, 6) if weighted else np.ones(6)
    negative = weights if paired else np.full(n_neg, weights.sum() / n_neg)
    sums = twin.model.gradient_sums(
        phases_of(rows_pos, rows_neg), h, weights if weighted else None, paired
    )
    ordinary = [block.copy() for block in sums]
    centred = twin.centred.gradient(sums)
    positive = plain_sums(twin, v_pos, h[:6], weights)
    plain = [
        p - n for p, n in zip(positive, plain_sums(twin, v_neg, h[6:], negative), strict=True)
    ]
    n_blocks = len(plain)  # a learned variance follows
    for ours, expected in zip(centred[:n_blocks], plain, strict=True):
        assert_allclose(ours, expected, rtol=1e-11, atol=1e-12)
    # The gradients of biases and of a variance stay; that of the weights does not.
    assert_same_bits(list(centred[1:3]), ordinary[1:3])
    assert_same_bits(list(centred[n_blocks:]), ordinary[n_blocks:])
    assert np.abs(centred[0] - ordinary[0]).max() > 0.1


def log_likelihood(case, v, W, c, b, *others):
    """Exact, summed over rows, of a machine of other arrays in the order of a gradient."""
    if isinstance(case, Categorical):
        machine = case.machine
        oracle = EnumeratedSoftmaxRBM(
            W, b, c, machine.oracle.offsets, machine.categories.values, *others
        )
        return oracle.log_likelihood(v)
    if isinstance(case, Real):
        variance = np.exp(others[0]) if others else case.variance
        return EnumeratedGaussianRBM(W, b, c, variance).log_likelihood(v)
    return bernoulli.log_likelihood(W, b, c, v)


@cases
def test_the_expected_gradient_is_the_slope_of_the_likelihood(case, rng):
    """By W, b', c' at fixed means, and by U or the logarithm of the variance."""
    twin = Twin(case, rng)
    v, _ = twin.rows(rng, 5)
    if not isinstance(case, Real | Categorical):
        v = np.round(v)
    # W, c, b; then U, or log variance, which is there also where it is fixed.
    sums = [5 * block for block in case.at(1).gradient(v)][: len(twin.model.parameters)]
    ours = twin.centred.gradient(sums)
    twin.centred.enter()
    others = [np.log(case.variance)] if getattr(case, "learned", False) else []
    others = [case.machine.U] if case.conditional else others

    def of_centred(W, c, b, *others):
        """The biases of the machine are made of b' and c' with the scale as it was."""
        b = b - twin.scale * (W @ twin.hidden_mean)
        c = c - twin.mu @ W
        if case.conditional:
            c = c - twin.observed(twin.mu) @ others[0]
        return log_likelihood(case, v, W, c, b, *others)

    start = [twin.model.weights, twin.model.hidden.bias, twin.model.visible.bias, *others]
    slopes = list(finite_differences(of_centred, start))
    assert len(slopes) == len(ours)
    for block, slope in zip(ours, slopes, strict=True):
        assert_allclose(block, slope, rtol=1e-6, atol=2e-8)


def plain_energy(twin, v, h):
    """Of each pair of a row and a hidden state, in the centred coordinates the machine is in."""
    W, c, b = (twin.model.parameters[k] for k in range(3))
    phi, d = twin.phi(v), h - twin.hidden_mean
    if isinstance(twin.case, Real):
        own = np.square((v - b) / twin.scale).sum(axis=1) / 2
    else:
        own = -(phi @ b)
    x = (phi - twin.mu) @ W + c
    if twin.case.conditional:
        x = x + (twin.observed(phi) - twin.observed(twin.mu)) @ twin.model.parameters[3]
    return own[:, np.newaxis] - x @ d.T


@cases
def test_centred_coordinates_are_of_the_same_machine(case, rng):
    """The energies of all hidden states with a row, and rows of one pattern, keep distances."""
    twin, oracle = Twin(case, rng), case.at(1)
    if isinstance(case, Categorical):
        v = case.machine.complete_rows[:9]
        v += [row[1:] for row in v[:9]]  # the first entry is missing
        groups = [slice(0, 9), slice(9, 18)]
    else:
        v, groups = twin.rows(rng, 9)[0], [slice(0, 9)]
    h = states(3)
    ordinary = np.array([[oracle.energy(row, h_row) for h_row in h] for row in v])
    before = [parameter.copy() for parameter in twin.model.parameters]
    centred = twin.centred
    centred.enter()
    changes = zip(twin.model.parameters, before, strict=True)
    assert max(np.abs(a - b).max() for a, b in changes) > 0.1
    distance = plain_energy(twin, v, h) - ordinary
    for group in groups:
        assert_allclose(distance[group], distance[group].flat[0], rtol=0, atol=1e-12)
    centred.leave()
    for parameter, last in zip(twin.model.parameters, before, strict=True):
        assert_allclose(parameter, last, rtol=0, atol=1e-14)


def test_ordinary_coordinates_change_nothing(rng):
    sums = tuple(rng.normal(size=(2, 3)))
    coordinates = Ordinary()
    assert coordinates.gradient(sums) is sums
    assert coordinates.enter() is coordinates.leave() is None


# --- means ---


def test_the_hidden_mean_is_a_moving_average(rng):
    """Each mini-batch has the weight 0.01, a heavy one more: that of its rows."""
    centring, plain = Centring(np.zeros(2), np.array([0.2, 0.9, 0.5])), np.array([0.2, 0.9, 0.5])
    for n_rows, weights in ((4, None), (7, None), (5, rng.uniform(0.1, 3, 5))):
        h = rng.random((n_rows, 3))
        w = np.ones(n_rows) if weights is None else weights
        centring.follow(GradientSums((), n_rows, w.sum(), w @ h))
        share = 0.01 * w.mean()
        plain = (1 - share) * plain + share * np.average(h, axis=0, weights=w)
        assert_allclose(centring.hidden_mean, plain, rtol=1e-14)
    assert_array_equal(centring.data_mean, 0)


@cases
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
@pytest.mark.parametrize("weighted", [False, True])
def test_an_estimate_tells_the_hidden_means_of_the_data(case, algorithm, weighted, rng):
    """As they are before the step, of the positive phase alone."""
    model = case.model()
    state = state_at_rest(model, 3, seed=1)
    if isinstance(case, Categorical):
        data = data_of(case.machine, case.machine.complete_rows[:6])
    else:
        data = NumberRows(rng.random((6, 4)))
    h = model.hidden.mean(model.hidden_input(data.read(slice(0, 6))))
    phases = model.visible.phases(data, slice(0, 6), None if algorithm == "cd" else 3)
    weights = rng.uniform(0.2, 3, 6) if weighted else None
    options = settings(algorithm=algorithm, centering=True)
    estimate = contrast(state, options, phases, 1, weights)
    counts = np.ones(6) if weights is None else weights
    assert_allclose(estimate.hidden, counts @ h, rtol=1e-12)
    assert_allclose(estimate.weight, counts.sum())
    assert estimate.n_rows == 6


def test_copies_share_no_hidden_mean(rng):
    centring = Centring(np.zeros(2), np.full(3, 0.5))
    copy = centring.copy()
    copy.follow(GradientSums((), 1, 1.0, np.ones(3)))
    assert_array_equal(centring.hidden_mean, 0.5)
    assert (copy.hidden_mean > 0.5).all()


# --- where learning starts ---


def one_hot_table(X):
    """Of half stars; nothing where an entry is missing."""
    return (X[:, :, np.newaxis] == HALF_STARS).reshape(len(X), -1)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("model", [BERNOULLI, SOFTMAX], ids=lambda model: model.name)
def test_hidden_units_start_at_rest_around_the_mean_of_the_data(model, weighted, rng):
    """Where entries are missing the mean is the share of all rows."""
    X = model.rows()
    weights = rng.uniform(0.1, 3, len(X)) if weighted else None
    plain, centred = (
        model.machine(n_iter=0, centering=centering, batch_size=10).fit(X, sample_weight=weights)
        for centering in (False, True)
    )
    table = X if model is BERNOULLI else one_hot_table(X)
    mu = np.average(table, axis=0, weights=weights)
    assert_array_equal(plain.intercept_hidden_, 0)
    assert_array_equal(plain.components_, centred.components_)
    assert_allclose(centred.intercept_hidden_, -(centred.components_ @ mu), rtol=1e-12)
    if model is BERNOULLI:
        assert_allclose(centred.transform(mu[np.newaxis]), 0.5, rtol=1e-12)


@pytest.mark.parametrize("noise_variance", [0.3, "learned"])
def test_hidden_units_of_real_values_start_around_the_mean_in_any_case(noise_variance):
    plain, centred = (
        GAUSSIAN.machine(n_iter=0, centering=centering, noise_variance=noise_variance).fit(
            3 + GAUSSIAN.rows()
        )
        for centering in (False, True)
    )
    assert_array_equal(plain.intercept_hidden_, centred.intercept_hidden_)
    W, mean = centred.components_, 3 + GAUSSIAN.rows().mean(axis=0)
    x = W @ (mean / np.sqrt(centred.noise_variance_)) + centred.intercept_hidden_
    assert_allclose(x, np.log(0.1) - np.square(W).sum(axis=1) / 2, rtol=1e-10)


@cases
def test_the_moving_average_starts_at_the_mean_of_the_data(case, rng):
    twin = Twin(case, rng)
    centring = Centring.at(twin.model, twin.data_mean)
    x = twin.mu @ twin.W + twin.c
    assert_allclose(centring.hidden_mean, expit(x), rtol=1e-12)
    assert centring.data_mean is twin.data_mean


# --- what centring is for ---


def blocks_of_rare_bits(n_rows=200, n_blocks=5, size=6):
    """A block is seldom on; then most of its bits are 1. One bit in eight is 1."""
    rng = np.random.default_rng(0)
    on = np.repeat(rng.random((n_rows, n_blocks)) < 0.15, size, axis=1)
    noise = rng.random((2, *on.shape))
    return ((on & (noise[0] < 0.8)) | (noise[1] < 0.02)).astype(float)


def mean_log_likelihoods(X, centering, n_seeds=20):
    """Exact ones of rows after learning, one per seed."""
    out = []
    for seed in range(n_seeds):
        rbm = BernoulliRBM(
            5,
            algorithm="pcd",
            batch_size=20,
            n_chains=20,
            learning_rate=0.15,
            n_iter=40,
            centering=centering,
            average=False,
            random_state=seed,
        ).fit(X)
        out.append(rbm.log_likelihood(X, rbm.log_partition("exact")).mean())
    return np.array(out)


@pytest.mark.long
def test_bits_and_flipped_bits_are_learned_alike():
    """With centring. Without it, the difference is many of its standard errors."""
    X = blocks_of_rare_bits()
    differences, errors = {}, {}
    for centering in (False, True):
        bits, flipped = (mean_log_likelihoods(rows, centering) for rows in (X, 1 - X))
        pairs = bits - flipped  # of equal seeds, which begin at equal weights
        differences[centering] = pairs.mean()
        errors[centering] = pairs.std(ddof=1) / np.sqrt(len(pairs))
    assert abs(differences[True]) < 4.5 * errors[True]
    assert errors[True] < 0.02  # nats
    assert differences[False] > max(5 * errors[False], 0.2)


@pytest.mark.parametrize("algorithm", ["cd", "pcd", "pt"])
def test_real_values_are_learned_alike_wherever_their_zero_is(algorithm):
    """To rounding, with equal random numbers. Without centring weights go elsewhere."""
    X = GAUSSIAN.rows()
    shift = np.linspace(-4, 5, X.shape[1])
    variance = np.linspace(0.4, 1.5, X.shape[1])

    def fitted(X, centering):
        return GAUSSIAN.machine(
            algorithm=algorithm,
            n_temperatures=3,
            noise_variance=variance,
            learning_rate=0.02,
            momentum=0.5,
            weight_decay=0.01,
            l1_penalty=0.01,
            average=0.5,
            n_iter=5,
            centering=centering,
        ).fit(X)

    first, other = fitted(X, True), fitted(X + shift, True)
    assert_allclose(other.components_, first.components_, rtol=0, atol=1e-9)
    assert_allclose(other.intercept_visible_, first.intercept_visible_ + shift, rtol=0, atol=1e-9)
    assert_allclose(other.transform(X + shift), first.transform(X), rtol=0, atol=1e-7)
    plain = fitted(X, False).components_, fitted(X + shift, False).components_
    assert np.abs(plain[1] - plain[0]).max() > 0.01
