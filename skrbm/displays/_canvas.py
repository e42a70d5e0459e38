"""What displays share: matplotlib when it is needed, images side by side, bars of colours."""

import numpy as np
from scipy.sparse import issparse

from .._input.optional import optional
from .._input.parameters import check_integer

LONG_SIDE = 6.0  # of a new picture of images, in inches


def need_matplotlib(caller):
    """``matplotlib.pyplot``, or an error that says how to get it."""
    return optional("matplotlib.pyplot", caller, "plot")


def check_image_shape(image_shape):
    """An image shape as two positive Python ints."""
    try:
        height, width = (int(side) for side in image_shape)
        if min(height, width) < 1 or (height, width) != tuple(image_shape):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            "image_shape must be two positive integers, the height and the width of an image in "
            f"pixels. Got {image_shape!r} instead."
        ) from None
    return height, width


def as_images(rows, image_shape, what):
    """Rows as an array of shape (n_images, height, width); ``what`` names them in errors."""
    if issparse(rows):
        raise TypeError(f"{what} must be dense rows: pass {what}.toarray().")
    rows = np.asarray(rows)
    height, width = check_image_shape(image_shape)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(
            f"{what} must be a table of at least one row, one image per row. Got an array of "
            f"shape {rows.shape}."
        )
    if rows.shape[1] != height * width:
        raise ValueError(
            f"image_shape=({height}, {width}) has {height * width} pixels, but {what} has "
            f"{rows.shape[1]} features. Give the height and the width of the images."
        )
    return rows.reshape(-1, height, width)


def balanced(n_images, image_shape):
    """Number of columns of images whose tiles make nearly a square."""
    height, width = image_shape
    return min(n_images, max(1, round(np.sqrt(n_images * height / width))))


def tiles(images, n_columns):
    """One image of images side by side, row by row, framed by NaN of one pixel's width."""
    n_images, height, width = images.shape
    n_rows = -(-n_images // n_columns)
    grid = np.full((n_rows * n_columns, height + 1, width + 1), np.nan)
    grid[:n_images, 1:, 1:] = images
    grid = grid.reshape(n_rows, n_columns, height + 1, width + 1).swapaxes(1, 2)
    grid = grid.reshape(n_rows * (height + 1), n_columns * (width + 1))
    return np.pad(grid, ((0, 1), (0, 1)), constant_values=np.nan)


def axes_for(ax, shape):
    """The given axes, or those of a new figure with room for an image of that many pixels."""
    import matplotlib.pyplot as plt

    if ax is None:
        height, width = LONG_SIDE * np.array(shape) / max(shape)
        size = max(width, 2) + 1.2, max(height, 1.6) + 0.5  # room for a bar, a title
        _, ax = plt.subplots(figsize=size, layout="compressed")
    return ax


def show_image(ax, image, cmap, frame, limits, im_kw):
    """Draw an image in which NaN has the colour of the frame; the artist.

    ``im_kw`` goes before all else. With a norm of its own it needs no limits.
    """
    from matplotlib import colormaps

    im_kw = {"cmap": cmap, "interpolation": "nearest"} | (im_kw or {})
    if "norm" not in im_kw:
        im_kw = limits | im_kw
    im_kw["cmap"] = colormaps.get_cmap(im_kw["cmap"]).with_extremes(bad=frame)
    artist = ax.imshow(image, **im_kw)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return artist


class Tiled:
    """Mixin of displays of images side by side, on one scale of colours."""

    def _draw(self, images, *, ax, n_columns, cmap, frame, limits, label, im_kw):
        """Draw images and a bar of colours; the display itself."""
        if n_columns is None:
            n_columns = balanced(len(images), images.shape[1:])
        image = tiles(images, check_integer("n_columns", n_columns, 1))
        self.ax_ = axes_for(ax, image.shape)
        self.figure_ = self.ax_.figure
        self.im_ = show_image(self.ax_, image, cmap, frame, limits, im_kw)
        self.colorbar_ = self.figure_.colorbar(self.im_, ax=self.ax_, label=label, pad=0.02)
        return self
