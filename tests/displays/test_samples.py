"""SamplesDisplay: rows of sample(...), their scale and what it means."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM
from skrbm.displays import SamplesDisplay

GIVEN = {"image_shape": (2, 3), "random_state": 0}


@pytest.fixture
def rbm(rng):
    return BernoulliRBM(5, n_iter=1, random_state=0).fit(rng.integers(0, 2, (20, 6)))


@pytest.mark.parametrize(
    ("output", "label"), [("mean", "probability of a 1"), ("sample", "sampled value")]
)
def test_samples_are_those_of_the_estimator(rbm, output, label):
    display = SamplesDisplay.from_estimator(rbm, 7, output=output, n_gibbs_steps=3, **GIVEN)
    expected = rbm.sample(7, output=output, n_gibbs_steps=3, random_state=0)
    np.testing.assert_array_equal(display.samples, expected)
    assert display.im_.get_clim() == (0, 1)
    assert display.colorbar_.ax.get_ylabel() == label


def test_samples_are_tiles(rbm):
    display = SamplesDisplay.from_estimator(rbm, 7, n_columns=7, **GIVEN)
    assert display.im_.get_array().shape == (2 + 2, 7 * 4 + 1)
    np.testing.assert_array_equal(
        display.im_.get_array()[1:3, 1:4], display.samples[0].reshape(2, 3)
    )


def test_ink_is_black(rbm):
    display = SamplesDisplay.from_estimator(rbm, **GIVEN)
    assert display.im_.to_rgba(1.0)[:3] == (0, 0, 0)


def test_axes_are_respected(rbm):
    ax = Figure().subplots()
    display = SamplesDisplay.from_estimator(rbm, ax=ax, **GIVEN)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


def test_real_values_have_the_scale_of_the_values(rng):
    rbm = GaussianBernoulliRBM(3, n_iter=1, random_state=0).fit(rng.normal(size=(20, 6)))
    display = SamplesDisplay.from_estimator(rbm, 9, **GIVEN)
    assert display.im_.get_clim() == (display.samples.min(), display.samples.max())
    assert display.colorbar_.ax.get_ylabel() == "mean of a pixel, without noise"


def test_categories_are_no_probabilities(rng):
    rbm = SoftmaxRBM(3, n_iter=1, random_state=0).fit(rng.integers(1, 6, (20, 6)))
    display = SamplesDisplay.from_estimator(rbm, 9, **GIVEN)
    assert display.colorbar_.ax.get_ylabel() == "mean of a pixel"


def test_samples_are_taken_back_to_pixels(rbm):
    display = SamplesDisplay.from_estimator(
        rbm, 4, inverse_transform=lambda rows: 16 * rows, **GIVEN
    )
    probabilities = rbm.sample(4, output="mean", random_state=0)
    np.testing.assert_array_equal(display.samples, 16 * probabilities)
    assert display.colorbar_.ax.get_ylabel() == "mean of a pixel"


def test_arguments_of_imshow_are_passed_on():
    display = SamplesDisplay(np.eye(6), image_shape=(2, 3)).plot(im_kw={"vmin": -1}, cmap="gray")
    assert display.im_.get_clim() == (-1, 1)
    assert display.im_.get_cmap().name == "gray"
    assert display.colorbar_.ax.get_ylabel() == ""


def test_a_machine_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        SamplesDisplay.from_estimator(BernoulliRBM(), **GIVEN)


def test_a_wrong_image_shape_names_both_numbers(rbm):
    with pytest.raises(ValueError, match=r"image_shape=\(3, 3\) has 9 pixels.* 6 features"):
        SamplesDisplay.from_estimator(rbm, image_shape=(3, 3))
