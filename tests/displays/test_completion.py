"""CompletionDisplay: lines of images, which pixels are known and which are made."""

import numpy as np
import pytest
from matplotlib import colors
from matplotlib.figure import Figure
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skrbm import BernoulliRBM, SoftmaxRBM
from skrbm.displays import CompletionDisplay

SHAPE = (4, 3)
UPPER = np.arange(12) < 6


@pytest.fixture(name="X")
def rows(rng):
    return rng.integers(0, 2, (5, 12)).astype(np.float32)


@pytest.fixture
def rbm(rng):
    return BernoulliRBM(5, n_iter=1, random_state=0).fit(rng.integers(0, 2, (20, 12)))


def names(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def legend(display):
    return [text.get_text() for text in display.legend_.get_texts()]


def coloured(pixels):
    """Whether pixels have a hue, as those that are made have."""
    return ~np.isclose(pixels[..., 0], pixels[..., 2])


def test_lines_have_their_names(rbm, X):
    others = {"zeros": np.where(UPPER, X, 0)}
    display = CompletionDisplay.from_estimator(
        rbm, X, known=UPPER, image_shape=SHAPE, others=others, n_draws=2, name="held-out"
    )
    assert names(display) == ["held-out", "known part", "zeros", "impute", "draw 1", "draw 2"]
    assert others.keys() == {"zeros"}  # what was given stays as it was


def test_the_known_part_has_no_blank_band(rbm, X):
    """Its images are half as high; neighbouring lines share a frame."""
    display = CompletionDisplay.from_estimator(rbm, X, known=UPPER, image_shape=SHAPE)
    height, width, _ = display.im_.get_array().shape
    assert (height, width) == ((1 + 4) + (1 + 2) + (1 + 4) + 1, 5 * 4 + 1)
    assert legend(display) == ["known", "completed"]


def test_names_stand_beside_the_middle_of_their_lines(rbm, X):
    display = CompletionDisplay.from_estimator(rbm, X, known=UPPER, image_shape=SHAPE)
    np.testing.assert_array_equal(display.ax_.get_yticks(), [2.5, 6.5, 10.5])


def test_known_pixels_are_grey_and_completed_ones_are_blue(X):
    display = CompletionDisplay(
        X, {"all": np.where(UPPER, X, 1)}, known=UPPER, image_shape=SHAPE
    ).plot()
    image = display.im_.get_array()
    whole, part, completed = image[1:5, 1:4], image[6:8, 1:4], image[9:13, 1:4]
    np.testing.assert_allclose(whole[..., 0], 1 - X[0].reshape(SHAPE))
    np.testing.assert_array_equal(whole[:2], part)
    np.testing.assert_array_equal(whole[:2], completed[:2])
    assert not coloured(whole).any()
    assert coloured(completed[2:]).all()


def test_unknown_pixels_have_a_tint_and_an_entry_in_the_legend(X):
    known = np.arange(12) % 2 == 0
    display = CompletionDisplay(X, {}, known=known, image_shape=SHAPE).plot()
    assert legend(display) == ["known", "completed", "unknown"]
    tint = colors.to_rgba(display.legend_.get_patches()[2].get_facecolor())
    part = display.im_.get_array()[6:10, 1:4].reshape(12, 4)
    np.testing.assert_array_equal((part == tint).all(axis=1), ~known)


def test_each_row_may_have_its_own_known_pixels(rbm, X, rng):
    known = rng.random(X.shape) < 0.5
    display = CompletionDisplay.from_estimator(rbm, X, known=known, image_shape=SHAPE)
    np.testing.assert_array_equal(display.completions["impute"][known], X[known])


def test_completions_are_those_of_the_estimator(rbm, X):
    given = {"n_gibbs_steps": 7, "random_state": 0}
    display = CompletionDisplay.from_estimator(rbm, X, known=UPPER, image_shape=SHAPE, **given)
    expected = rbm.impute(np.where(UPPER, X, np.nan).astype(X.dtype), **given)
    np.testing.assert_array_equal(display.completions["impute"], expected)
    np.testing.assert_array_equal(display.X, X)


def test_draws_differ_and_keep_what_is_known(rbm, X):
    display = CompletionDisplay.from_estimator(
        rbm, X > 0, known=UPPER, image_shape=SHAPE, n_draws=2, random_state=0
    )
    draws = [display.completions[f"draw {i}"] for i in (1, 2)]
    assert (draws[0] != draws[1]).any()
    for draw in draws:
        np.testing.assert_array_equal(draw[:, UPPER], X[:, UPPER])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_names_of_columns_are_kept(rbm, X, library):
    """Otherwise the estimator would warn that it knows names and X has none."""
    frames = pytest.importorskip(library)
    frame = frames.DataFrame({f"pixel {i}": X[:, i] for i in range(12)})
    rbm.fit(frame)
    display = CompletionDisplay.from_estimator(
        rbm, frame, known=UPPER, image_shape=SHAPE, n_draws=1, random_state=0
    )
    assert display.completions["draw 1"].shape == X.shape


def test_rows_are_taken_back_to_pixels(rbm, X):
    display = CompletionDisplay.from_estimator(
        rbm, X, known=UPPER, image_shape=SHAPE, inverse_transform=lambda rows: 16 * rows
    )
    np.testing.assert_array_equal(display.X, 16 * X)
    np.testing.assert_array_equal(display.completions["impute"][:, UPPER], 16 * X[:, UPPER])


def test_what_x_lacks_is_unknown(rng):
    """A completion makes it, so it is blue there."""
    X = rng.integers(1, 4, (5, 12)).astype(float)
    X[:, 1] = np.nan
    rbm = SoftmaxRBM(3, categories=[1, 2, 3], n_iter=1, random_state=0).fit(X)
    display = CompletionDisplay.from_estimator(rbm, X, known=UPPER, image_shape=SHAPE)
    image = display.im_.get_array()
    whole, part, completed = image[1, 1:4], image[6, 1:4], image[9, 1:4]
    assert coloured(completed).tolist() == [False, True, False]
    np.testing.assert_array_equal(whole, part)
    assert legend(display) == ["known", "completed", "unknown"]


def test_arguments_of_imshow(X):
    display = CompletionDisplay(X, {}, known=UPPER, image_shape=SHAPE)
    display.plot(im_kw={"vmax": 2, "interpolation": "bilinear"})
    assert display.im_.get_interpolation() == "bilinear"
    np.testing.assert_allclose(display.im_.get_array()[1:5, 1:4, 0].min(), 0.5, atol=0.01)


def test_axes_are_respected(rbm, X):
    ax = Figure().subplots()
    display = CompletionDisplay.from_estimator(rbm, X, known=UPPER, image_shape=SHAPE, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


# --- errors ---


def test_a_machine_that_is_not_fitted(X):
    with pytest.raises(NotFittedError):
        CompletionDisplay.from_estimator(BernoulliRBM(), X, known=UPPER, image_shape=SHAPE)


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (UPPER.astype(int), "known must hold True and False. Got an array of int64"),
        (UPPER[:11], r"shape of X, \(5, 12\), or that of one row. Got shape \(11,\)"),
        (np.tile(UPPER, (4, 1)), r"Got shape \(4, 12\)"),
        (UPPER & False, "known is False for all pixels"),
    ],
)
def test_what_is_known_must_fit_the_rows(rbm, X, known, sentence):
    with pytest.raises(ValueError, match=sentence):
        CompletionDisplay.from_estimator(rbm, X, known=known, image_shape=SHAPE)


def test_sparse_rows_are_refused(rbm, X):
    with pytest.raises(TypeError, match="dense data is required"):
        CompletionDisplay.from_estimator(rbm, sparse.csr_array(X), known=UPPER, image_shape=SHAPE)


def test_completions_must_fit_the_rows(X):
    with pytest.raises(ValueError, match=r"completions\['half'\] has 2 rows, but X has 5"):
        CompletionDisplay(X, {"half": X[:2]}, known=UPPER, image_shape=SHAPE).plot()
    with pytest.raises(ValueError, match=r"12 pixels, but completions\['half'\] has 6 features"):
        CompletionDisplay(X, {"half": X[:, :6]}, known=UPPER, image_shape=SHAPE).plot()


def test_a_wrong_image_shape_names_both_numbers(rbm, X):
    with pytest.raises(ValueError, match=r"image_shape=\(3, 3\) has 9 pixels.* 12 features"):
        CompletionDisplay.from_estimator(rbm, X, known=UPPER, image_shape=(3, 3))
