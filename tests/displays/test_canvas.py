"""Tiles, image shapes, and matplotlib that is imported on use only."""

import numpy as np
import pytest
from matplotlib.colors import CenteredNorm, to_rgba
from matplotlib.figure import Figure
from scipy import sparse

from skrbm.displays._canvas import as_images, balanced, check_image_shape, show_image, tiles

from ..helpers.processes import run_python


def test_matplotlib_is_imported_on_use_only():
    """A module that is None in sys.modules cannot be imported."""
    code = """
import sys
import skrbm
print("skrbm.displays" in sys.modules)
from skrbm.displays import TrainingDisplay
print(any(name.startswith("matplotlib") for name in sys.modules))
sys.modules["matplotlib"] = sys.modules["matplotlib.pyplot"] = None
try:
    TrainingDisplay({"seconds": [1.0]}).plot()
except ImportError as error:
    print(error)
"""
    assert run_python(code) == (
        0,
        "False\nFalse\nTrainingDisplay.plot needs matplotlib, which is not installed: "
        'pip install "skrbm[plot]".\n',
    )


def test_tiles_hold_each_image_in_a_frame():
    images = np.arange(1, 19, dtype=float).reshape(3, 2, 3)
    image = tiles(images, 2)
    assert image.shape == (2 * 3 + 1, 2 * 4 + 1)
    for (top, left), expected in zip([(1, 1), (1, 5), (4, 1)], images, strict=True):
        np.testing.assert_array_equal(image[top : top + 2, left : left + 3], expected)
    assert np.isfinite(image).sum() == images.size  # frames, and the place without an image


@pytest.mark.parametrize(
    ("n_images", "shape", "n_columns"),
    [(9, (8, 8), 3), (8, (10, 5), 4), (8, (5, 10), 2), (1, (50, 1), 1), (2, (1, 50), 1)],
)
def test_tiles_are_balanced(n_images, shape, n_columns):
    assert balanced(n_images, shape) == n_columns


@pytest.mark.parametrize(
    "shape", [8, (8,), (8, 8, 3), (0, 8), (8.5, 8), (8, -1), (8, np.inf), "88", None]
)
def test_an_image_shape_is_two_positive_integers(shape):
    with pytest.raises(ValueError, match="image_shape must be two positive integers"):
        check_image_shape(shape)


def test_an_image_shape_may_hold_integers_of_numpy():
    assert check_image_shape(np.array([8, 9])) == (8, 9)


def test_a_wrong_image_shape_names_both_numbers():
    with pytest.raises(ValueError, match=r"image_shape=\(8, 9\) has 72 pixels.* has 64 features"):
        as_images(np.zeros((2, 64)), (8, 9), "filters")


@pytest.mark.parametrize("rows", [np.zeros(64), np.zeros((0, 64)), np.zeros((2, 8, 8))])
def test_images_are_rows_of_a_table(rows):
    with pytest.raises(ValueError, match="samples must be a table of at least one row"):
        as_images(rows, (8, 8), "samples")


def test_sparse_rows_are_refused():
    with pytest.raises(TypeError, match=r"samples must be dense rows: pass samples.toarray\(\)"):
        as_images(sparse.csr_array((2, 64)), (8, 8), "samples")


def test_arguments_of_imshow_go_before_all_else():
    image, limits = np.array([[-1.0, np.nan, 3.0]]), {"vmin": -3, "vmax": 3}
    given = {"vmax": 2, "cmap": "Reds", "alpha": 0.5}
    artist = show_image(Figure().subplots(), image, "Blues", "green", limits, given)
    assert artist.get_clim() == (-3, 2)
    assert (artist.get_cmap().name, artist.get_alpha()) == ("Reds", 0.5)
    assert artist.get_cmap().get_bad().tolist() == list(to_rgba("green"))
    given = {"norm": CenteredNorm(1)}
    artist = show_image(Figure().subplots(), image, "Blues", "green", limits, given)
    assert artist.get_clim() == (-1, 3)
