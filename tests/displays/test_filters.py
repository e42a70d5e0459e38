"""FiltersDisplay: which filters are drawn, in which order, on which scale."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM
from skrbm.displays import FiltersDisplay

SHAPE = (2, 3)


@pytest.fixture
def rbm(rng):
    """A machine of 5 hidden units and 6 pixels."""
    rbm = BernoulliRBM(5, n_iter=1, random_state=0).fit(rng.integers(0, 2, (20, 6)))
    rbm.components_ = rng.normal(size=(5, 6)) * np.array([[2, 5, 1, 3, 4]]).T
    return rbm


def shown(display, i):
    """The image at place i, of filters in one line."""
    height, width = SHAPE
    left = i * (width + 1) + 1
    return np.asarray(display.im_.get_array())[1 : 1 + height, left : left + width]


def test_filters_are_tiles_in_order(rbm):
    display = FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, n_columns=5)
    assert display.im_.get_array().shape == (4, 5 * 2 * 2 + 1)
    for i in range(5):
        np.testing.assert_array_equal(shown(display, i), rbm.components_[i].reshape(SHAPE))
    np.testing.assert_array_equal(display.units, range(5))


def test_the_scale_is_shared_and_centred_at_zero(rbm):
    display = FiltersDisplay.from_estimator(rbm, image_shape=SHAPE)
    largest = np.abs(rbm.components_).max()
    assert display.im_.get_clim() == (-largest, largest)
    assert display.colorbar_.ax.get_ylabel() == "weight"
    assert display.colorbar_.mappable is display.im_


def test_the_middle_of_the_scale_is_white(rbm):
    display = FiltersDisplay.from_estimator(rbm, image_shape=SHAPE)
    assert min(display.im_.to_rgba(0.0)) > 0.95
    red, blue = (np.array(display.im_.to_rgba(sign * 9.0)) for sign in (1, -1))
    assert red.argmax() == 0 or red[0] > red[2]
    assert blue[2] > blue[0]


def test_filters_may_be_normalized_each(rbm):
    display = FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, normalize=True, n_columns=5)
    for i in range(5):
        assert np.abs(shown(display, i)).max() == 1
    assert display.im_.get_clim() == (-1, 1)
    assert display.colorbar_.ax.get_ylabel() == "weight / largest of the filter"


def test_weights_of_zero_can_be_drawn():
    display = FiltersDisplay(np.zeros((2, 6)), image_shape=SHAPE).plot(normalize=True)
    assert display.im_.get_clim() == (-1, 1)


def test_axes_are_respected(rbm):
    ax = Figure().subplots()
    display = FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


def test_arguments_of_imshow_are_passed_on(rbm):
    display = FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, im_kw={"vmax": 3, "vmin": -3})
    assert display.im_.get_clim() == (-3, 3)


# --- order ---


def test_order_by_norm(rbm):
    display = FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, order="norm", n=3)
    norms = np.linalg.norm(rbm.components_, axis=1)
    np.testing.assert_array_equal(norms[display.units], np.sort(norms)[:1:-1])


def test_order_by_variation(rbm, rng):
    X = rng.integers(0, 2, (50, 6))
    display = FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, order="variation", X=X)
    stds = rbm.transform(X).std(axis=0)
    np.testing.assert_array_equal(stds[display.units], np.sort(stds)[::-1])


def test_order_by_variation_of_frames(rbm, rng):
    frames = pytest.importorskip("pandas")
    X = rng.integers(0, 2, (50, 6))
    of_array = FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, order="variation", X=X)
    rbm.set_output(transform="pandas")
    of_frame = FiltersDisplay.from_estimator(
        rbm, image_shape=SHAPE, order="variation", X=frames.DataFrame(X)
    )
    np.testing.assert_array_equal(of_frame.units, of_array.units)


def test_order_by_numbers(rbm):
    display = FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, order=[4, 1, 1], n=2)
    np.testing.assert_array_equal(display.filters, rbm.components_[[4, 1]])


@pytest.mark.parametrize("order", ["nrom", 3, [[0, 1]], [0.5], []])
def test_an_order_that_is_none(rbm, order):
    with pytest.raises(ValueError, match="order must be None, 'norm', 'variation' or"):
        FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, order=order)


@pytest.mark.parametrize("order", [[0, 5], [-1]])
def test_an_order_of_units_that_are_not_there(rbm, order):
    with pytest.raises(ValueError, match=r"hidden unit (5|-1), but .* from 0 to 4"):
        FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, order=order)


def test_variation_and_rows_go_together(rbm):
    with pytest.raises(ValueError, match=r"go together.*'variation' without X"):
        FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, order="variation")
    with pytest.raises(ValueError, match=r"go together.*None with X"):
        FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, X=np.eye(6))


def test_more_filters_than_there_are(rbm):
    with pytest.raises(ValueError, match="n=6 filters are asked for, but there are 5"):
        FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, n=6)


def test_a_machine_without_filters():
    with pytest.raises(NotFittedError):
        FiltersDisplay.from_estimator(BernoulliRBM(), image_shape=SHAPE)


def test_a_wrong_image_shape_names_both_numbers(rbm):
    with pytest.raises(ValueError, match=r"image_shape=\(3, 3\) has 9 pixels.* 6 features"):
        FiltersDisplay.from_estimator(rbm, image_shape=(3, 3))


# --- other machines, and transformers before them ---


def test_what_a_unit_adds_to_the_mean_of_an_image(rng):
    """By the estimator's own inverse_transform of a unit that is on, and of none."""
    pixels = rng.normal(size=(60, 6)) * [1, 2, 3, 4, 5, 6] + 7
    pca = PCA(3, whiten=True).fit(pixels)
    rbm = GaussianBernoulliRBM(4, noise_variance="learned", n_iter=3, random_state=0)
    rbm.fit(pca.transform(pixels))
    display = FiltersDisplay.from_estimator(
        rbm, image_shape=SHAPE, inverse_transform=pca.inverse_transform
    )
    on, off = (pca.inverse_transform(rbm.inverse_transform(H)) for H in (np.eye(4), 0 * np.eye(4)))
    np.testing.assert_allclose(display.filters, on - off, atol=1e-12)
    assert display.colorbar_.ax.get_ylabel() == "added to the mean"


def test_pixels_that_were_left_out_have_no_weight(rbm):
    def with_a_line(rows):
        return np.hstack([rows, np.full((len(rows), 3), 8)])

    display = FiltersDisplay.from_estimator(rbm, image_shape=(3, 3), inverse_transform=with_a_line)
    np.testing.assert_allclose(display.filters[:, :6], rbm.components_)
    np.testing.assert_allclose(display.filters[:, 6:], 0)
    assert display.label == "weight"


def test_a_map_that_is_not_affine_is_refused(rbm):
    with pytest.raises(ValueError, match="inverse_transform must be affine"):
        FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, inverse_transform=np.exp)


@pytest.fixture
def stars(rng):
    """A machine of ratings, in which the last film was never rated below 3."""
    X = rng.integers(1, 6, (40, 6)).astype(float)
    X[:, -1] = rng.integers(3, 6, 40)
    return SoftmaxRBM(3, categories="auto", n_iter=2, random_state=0).fit(X)


@pytest.mark.parametrize(
    ("category", "label"), [(None, "slope of weights"), (2.0, "weight of category 2.0")]
)
def test_filters_of_categories_are_those_of_top_features(stars, category, label):
    display = FiltersDisplay.from_estimator(stars, image_shape=SHAPE, category=category)
    for unit in range(3):
        features, scores = stars.top_features(unit, 6, category)
        np.testing.assert_array_equal(display.filters[unit, features], scores)
    assert np.isnan(display.filters).sum() == (0 if category is None else 3)
    assert display.label == label
    assert np.isfinite(display.im_.get_clim()).all()


def test_a_category_is_for_machines_of_categories(rbm):
    with pytest.raises(ValueError, match=r"category=1 is for a SoftmaxRBM. BernoulliRBM has"):
        FiltersDisplay.from_estimator(rbm, image_shape=SHAPE, category=1)
