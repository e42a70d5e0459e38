"""LikelihoodDisplay: estimates, intervals in the legend, and what hides nothing."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError

from skrbm import BernoulliRBM
from skrbm.displays import LikelihoodDisplay

POINTS = {"exact": (-18.0, -18.0, -18.0), "ais": (-17.9, -18.1, -17.7)}
CURVES = {
    "exact": [(-20.0, -20.0, -20.0), (-10.0, -10.0, -10.0)],
    "reverse_ais": [(-20.2, -20.5, -19.9), (-10.1, -10.3, -9.9)],
}


def legend(display):
    return [text.get_text() for text in display.legend_.get_texts()]


@pytest.fixture(name="X")
def rows(rng):
    return rng.integers(0, 2, (30, 6))


@pytest.fixture
def rbm(X):
    return BernoulliRBM(4, n_iter=3, random_state=0).fit(X)


def test_estimates_are_means_of_log_likelihoods(rbm, X):
    display = LikelihoodDisplay.from_estimator(rbm, X, n_betas=20, n_chains=50, random_state=0)
    methods = display.estimates["rows"]
    assert list(methods) == ["exact", "ais", "reverse_ais"]
    exact = rbm.log_likelihood(X, rbm.log_partition("exact")).mean()
    np.testing.assert_allclose(methods["exact"], exact)
    for method in ("ais", "reverse_ais"):
        mean, lower, upper = methods[method]
        assert lower < mean < upper
        np.testing.assert_allclose(mean - lower, upper - mean)  # as the intervals of log Z
        assert lower - 1 < exact < upper + 1


def test_an_interval_is_that_of_log_z(rbm, X):
    display = LikelihoodDisplay.from_estimator(
        rbm, X, methods="ais", n_betas=20, n_chains=50, random_state=np.random.RandomState(0)
    )
    log_z = rbm.log_partition(
        "ais", n_betas=20, n_chains=50, random_state=np.random.RandomState(0)
    )
    expected = (
        rbm.log_likelihood(X, z).mean() for z in (log_z, log_z.interval[1], log_z.interval[0])
    )
    np.testing.assert_allclose(display.estimates["rows"]["ais"], list(expected))


@pytest.fixture
def called(monkeypatch):
    """Names of the methods of likelihood, one for each call from now on."""
    names = []

    def watch(name):
        method = getattr(BernoulliRBM, name)

        def recorded(self, *args, **kwargs):
            names.append(name)
            return method(self, *args, **kwargs)

        monkeypatch.setattr(BernoulliRBM, name, recorded)

    watch("log_likelihood")
    watch("log_partition")
    return names


def test_rows_are_read_once_and_before_anything_is_annealed(rbm, X, called):
    options = {"methods": ("exact", "ais"), "n_betas": 20}
    LikelihoodDisplay.from_estimator(rbm, {"a": X, "b": X[:9]}, **options)
    assert called == ["log_likelihood"] * 2 + ["log_partition"] * 2


def test_auto_is_named_by_what_it_did(rbm, X):
    display = LikelihoodDisplay.from_estimator(rbm, X, methods=["auto"])
    assert list(display.estimates["rows"]) == ["exact"]


def test_sets_of_rows_share_their_estimates_of_log_z(rbm, X):
    display = LikelihoodDisplay.from_estimator(
        rbm, {"seen": X, "the same": X}, methods=["ais"], n_betas=20, random_state=0
    )
    assert display.estimates["seen"] == display.estimates["the same"]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["seen", "the same"]
    assert [text.split("  ")[0] for text in legend(display)] == ["seen, AIS", "the same, AIS"]


def test_the_start_of_reverse_annealing_is_passed_on(rbm, X):
    with pytest.raises(ValueError, match="init"):
        LikelihoodDisplay.from_estimator(rbm, X, init=np.full((3, 6), np.nan), random_state=0)


def test_the_legend_has_the_intervals():
    display = LikelihoodDisplay({"rows": POINTS}).plot()
    assert legend(display) == ["exact  -18.00", "AIS  -17.90 [-18.10, -17.70]"]
    assert display.legend_.get_title().get_text() == "with 95 % intervals"
    assert display.ax_.get_xlabel() == "mean log-likelihood (nats)"
    assert list(display.lines_["rows"]) == ["exact", "ais"]


def test_curves_along_x():
    display = LikelihoodDisplay({"rows": CURVES}, x=[1, 5], xlabel="epoch").plot()
    assert legend(display) == ["exact", "reverse AIS"]
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_ylabel() == "mean log-likelihood (nats)"
    for method, line in display.lines_["rows"].items():
        np.testing.assert_array_equal(line.get_xdata(), [1, 5])
        np.testing.assert_array_equal(line.get_ydata(), np.array(CURVES[method])[:, 0])


def test_the_legend_tells_of_intervals_where_there_are_any():
    estimates = {"rows": {"CD": CURVES["exact"], "PCD": CURVES["exact"]}}
    display = LikelihoodDisplay(estimates, x=[1, 5]).plot()
    assert display.legend_.get_title().get_text() == ""
    assert legend(display) == ["CD", "PCD"]


def test_the_exact_curve_is_on_top():
    lines = LikelihoodDisplay({"rows": CURVES}, x=[1, 5]).plot().lines_["rows"]
    assert lines["exact"].get_zorder() > lines["reverse_ais"].get_zorder()


def test_the_range_is_that_of_the_data():
    ax = LikelihoodDisplay({"rows": CURVES}, x=[1, 5]).plot().ax_
    bottom, top = ax.get_ylim()
    assert bottom == pytest.approx(-20.5, abs=0.1 * 10.6)
    assert top == pytest.approx(-9.9, abs=0.1 * 10.6)


def test_differences_show_small_errors():
    display = LikelihoodDisplay({"rows": CURVES}, x=[1, 5]).plot(difference_from="exact")
    np.testing.assert_array_equal(display.lines_["rows"]["exact"].get_ydata(), [0, 0])
    np.testing.assert_allclose(display.lines_["rows"]["reverse_ais"].get_ydata(), [-0.2, -0.1])
    assert max(np.abs(display.ax_.get_ylim())) < 0.6
    assert display.ax_.get_ylabel() == "mean log-likelihood,\nless that by exact (nats)"
    assert display.estimates == {"rows": CURVES}  # what was given stays as it was


def test_sets_of_rows_have_lines_of_their_own():
    display = LikelihoodDisplay({"seen": CURVES, "held out": CURVES}, x=[1, 5]).plot()
    assert legend(display)[0] == "seen, exact"
    assert display.lines_["seen"]["exact"].get_linestyle() == "-"
    assert display.lines_["held out"]["exact"].get_linestyle() == "--"


def test_no_set_of_rows_is_left_out():
    """Though there are fewer kinds of dashes."""
    names = [f"part {i}" for i in range(6)]
    display = LikelihoodDisplay(dict.fromkeys(names, CURVES), x=[1, 5]).plot()
    assert list(display.lines_) == names
    assert len(legend(display)) == 12


@pytest.mark.parametrize("x", [None, [1]])
def test_methods_by_other_names_have_other_colours(x):
    """The same in each set of rows."""
    point = [(-1.0, -2.0, 0.0)]
    first = dict.fromkeys(["mine", "ais", "other", "reverse_ais", "exact"], point)
    second = dict.fromkeys(["other", "exact"], point)
    lines = LikelihoodDisplay({"first": first, "second": second}, x=x).plot().lines_
    colours = {name: to_rgba(line.get_color()) for name, line in lines["first"].items()}
    assert len(set(colours.values())) == 5
    assert colours["ais"] == to_rgba("C0")
    for name, line in lines["second"].items():
        assert to_rgba(line.get_color()) == colours[name]


def test_axes_are_respected():
    ax = Figure().subplots()
    display = LikelihoodDisplay({"rows": POINTS}).plot(ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


# --- errors ---


def test_estimates_of_another_shape():
    with pytest.raises(
        ValueError, match=r"\['ais'\] must be \(mean, lower, upper\). Got .* \(2,\)"
    ):
        LikelihoodDisplay({"rows": {"ais": (-1.0, -2.0)}}).plot()
    with pytest.raises(ValueError, match=r"for each of 3 values of x. Got an array .* \(2, 3\)"):
        LikelihoodDisplay({"rows": CURVES}, x=[1, 2, 3]).plot()


@pytest.mark.parametrize("estimates", [{}, {"rows": {}}])
def test_no_estimates(estimates):
    with pytest.raises(ValueError, match="there is nothing to draw: estimates must hold"):
        LikelihoodDisplay(estimates).plot()


def test_a_difference_from_what_is_not_there():
    with pytest.raises(
        ValueError, match=r"'aix' is none of the methods of 'rows', .* 'exact', 'a"
    ):
        LikelihoodDisplay({"rows": POINTS}).plot(difference_from="aix")


def test_a_machine_that_is_not_fitted(X):
    with pytest.raises(NotFittedError):
        LikelihoodDisplay.from_estimator(BernoulliRBM(), X)
