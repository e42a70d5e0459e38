"""CompletionDisplay: rows of which a part was known, and what a machine makes of this part."""

import narwhals as nw
import numpy as np
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from .._input.parameters import check_integer
from ._canvas import as_images, axes_for, need_matplotlib, tiles
from ._samples import limits

#: Colours: a map or a colour, and what stands for it in the legend.
KNOWN, COMPLETED = ("gray_r", "0.3"), ("Blues", "tab:blue")
UNKNOWN, FRAME = "moccasin", "lightsteelblue"


class CompletionDisplay:
    """Completions: lines of images, the known part of each and what is made of it.

    The first line shows whole rows, and the second line what is known of them. Every further line
    is a completion. Known pixels are grey and completed pixels are blue, so that a look tells
    which pixels a method has made. The second line leaves out lines of pixels of which nothing is
    known.

    It is recommended to make a display by :meth:`from_estimator`. All parameters are stored as
    attributes.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Whole rows, one image per row.
    completions : dict of array-like of shape (n_samples, n_features)
        Complete rows under the names of what has made them.
    known : array-like of bool of shape (n_features,) or (n_samples, n_features)
        Which pixels are known. Those that are NaN in X are not.
    image_shape : tuple of int
        Height and width of an image, in pixels.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes with all lines of images.
    figure_ : matplotlib Figure
        The figure that holds the axes.
    im_ : matplotlib AxesImage
        All lines, as one image of colours.
    legend_ : matplotlib Legend
        What the colours mean.

    See Also
    --------
    CompletionDisplay.from_estimator : Complete rows by a fitted estimator, and draw them.
    SamplesDisplay : Draw rows that a machine samples.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skrbm.displays import CompletionDisplay
    >>> X = load_digits().data
    >>> known = np.arange(64) < 32  # the upper half
    >>> completions = {"mean image": np.where(known, X[:10], X.mean(axis=0))}
    >>> display = CompletionDisplay(X[:10], completions, known=known, image_shape=(8, 8)).plot()
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['whole', 'known part', 'mean image']
    """

    def __init__(self, X, completions, *, known, image_shape):
        self.X = X
        self.completions = completions
        self.known = known
        self.image_shape = image_shape

    def plot(self, *, ax=None, name="whole", im_kw=None):
        """Draw the lines of images.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None: the axes of a new figure.
        name : str, default="whole"
            Name of the first line, such as "held-out digit".
        im_kw : dict, default=None
            Arguments of matplotlib's ``imshow``, such as ``{"vmin": -2, "vmax": 2}``. By default
            the scale is from 0 to 1 where all values lie in between, and else from the smallest
            value to the largest.

        Returns
        -------
        display : CompletionDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If a row has another number of features than an image has pixels, or if shapes do not
            go together.

        See Also
        --------
        CompletionDisplay.from_estimator : Complete rows by a fitted estimator, and draw them.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm.displays import CompletionDisplay
        >>> X, dark = np.array([[1, 1, 0, 1]]), np.array([[1, 1, 1, 1]])
        >>> display = CompletionDisplay(
        ...     X, {"all dark": dark}, known=[True, True, False, False], image_shape=(2, 2)
        ... )
        >>> [text.get_text() for text in display.plot().legend_.get_texts()]
        ['known', 'completed']
        """
        need_matplotlib("CompletionDisplay.plot")
        from matplotlib.patches import Patch

        images, known, completions = self._images()
        kept = known.any(axis=(0, 2))  # lines of pixels of which something is known
        lines = [
            (images, np.zeros_like(known)),
            (np.where(known, images, np.nan)[:, kept], np.zeros_like(known)[:, kept]),
            *((completed, ~known) for completed in completions),
        ]
        values, made = (_lines(parts) for parts in zip(*lines, strict=True))
        im_kw = limits(np.concatenate([images, *completions])) | (im_kw or {})
        image = _colours(values, made, im_kw.pop("vmin"), im_kw.pop("vmax"))

        self.ax_ = axes_for(ax, image.shape[:2])
        self.figure_ = self.ax_.figure
        self.im_ = self.ax_.imshow(image, **({"interpolation": "nearest"} | im_kw))
        heights = np.array([len(first[0]) + 1 for first, _ in lines])
        self.ax_.set_yticks(
            np.cumsum(heights) - heights / 2, [name, "known part", *self.completions]
        )
        self.ax_.tick_params(length=0)
        self.ax_.set_xticks([])
        self.ax_.spines[:].set_visible(False)
        patches = {"known": KNOWN[1], "completed": COMPLETED[1]}
        if not known[:, kept].all():
            patches["unknown"] = UNKNOWN
        self.legend_ = self.ax_.legend(
            handles=[Patch(color=colour, label=label) for label, colour in patches.items()],
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=len(patches),
            frameon=False,
        )
        return self

    def _images(self):
        """Images, whether their pixels are known, and a list of completed images."""
        images = as_images(self.X, self.image_shape, "X").astype(float)
        known = np.asarray(self.known)
        if known.dtype != bool:
            raise ValueError(f"known must hold True and False. Got an array of {known.dtype}.")
        if known.shape not in (np.shape(self.X), np.shape(self.X)[1:]):
            raise ValueError(
                f"known must have the shape of X, {np.shape(self.X)}, or that of one row. Got "
                f"shape {known.shape}."
            )
        # What X lacks is unknown, and a completion makes it.
        known = np.broadcast_to(known, np.shape(self.X)).reshape(images.shape) & ~np.isnan(images)
        if not known.any():
            raise ValueError("known is False for all pixels: there is nothing to complete from.")
        completions = []
        for name, rows in self.completions.items():
            completed = as_images(rows, self.image_shape, f"completions[{name!r}]")
            if len(completed) != len(images):
                raise ValueError(
                    f"completions[{name!r}] has {len(completed)} rows, but X has {len(images)}."
                )
            completions.append(completed.astype(float))
        return images, known, completions

    @classmethod
    def from_estimator(
        cls,
        rbm,
        X,
        *,
        known,
        image_shape,
        others=None,
        n_draws=0,
        n_gibbs_steps=100,
        inverse_transform=None,
        random_state=None,
        ax=None,
        name="whole",
        im_kw=None,
    ):
        """Complete rows by a fitted estimator, and draw them.

        Parameters
        ----------
        rbm : BernoulliRBM, GaussianBernoulliRBM or SoftmaxRBM
            A fitted estimator.
        X : array-like of shape (n_samples, n_features)
            Whole rows, such as held-out ones, of which the estimator sees the known part only.
        known : array-like of bool of shape (n_features,) or (n_samples, n_features)
            Which entries are known. Those that are NaN in X are not.
        image_shape : tuple of int
            Height and width of an image, in pixels.
        others : dict of array-like of shape (n_samples, n_features), default=None
            Completions by other methods, under their names. They stand between the known part and
            the completion by ``rbm``.
        n_draws : int, default=0
            How often the unknown entries are drawn besides, by ``rbm.sample(init=...)``. A draw
            decides where ``impute`` gives a mean.
        n_gibbs_steps : int, default=100
            Length of the chains, of ``impute`` as of draws.
        inverse_transform : callable, default=None
            Takes rows as the estimator sees them to rows of pixels. It must keep each feature in
            its place, as ``MinMaxScaler`` and ``StandardScaler`` do.
        random_state : int, RandomState instance or None, default=None
            An int gives the same completions at every call.
        ax : matplotlib Axes, default=None
            As in :meth:`plot`.
        name : str, default="whole"
            As in :meth:`plot`.
        im_kw : dict, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : CompletionDisplay
            The display, drawn. ``display.completions`` holds the completed rows.

        Raises
        ------
        NotFittedError
            If ``rbm`` is not fitted.
        ValueError
            If shapes do not go together.

        See Also
        --------
        CompletionDisplay.plot : Draw completions that are there already.
        skrbm.BernoulliRBM.impute : How unknown entries are estimated.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_digits
        >>> from skrbm import BernoulliRBM
        >>> from skrbm.displays import CompletionDisplay
        >>> X = load_digits().data / 16
        >>> rbm = BernoulliRBM(30, n_iter=5, random_state=0).fit(X[10:])
        >>> display = CompletionDisplay.from_estimator(
        ...     rbm, X[:10], known=np.arange(64) < 32, image_shape=(8, 8), random_state=0
        ... )
        >>> list(display.completions)
        ['impute']
        """
        need_matplotlib("CompletionDisplay.from_estimator")
        check_is_fitted(rbm, "components_")
        n_draws = check_integer("n_draws", n_draws, 0)
        rows = check_array(X, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan")
        display = cls(rows, dict(others or {}), known=known, image_shape=image_shape)
        known = display._images()[1].reshape(rows.shape)
        partly = _framed(np.where(known, rows, rows.dtype.type(np.nan)), X)
        given = {"n_gibbs_steps": n_gibbs_steps, "random_state": check_random_state(random_state)}
        display.completions["impute"] = rbm.impute(partly, **given)
        for i in range(n_draws):
            display.completions[f"draw {i + 1}"] = rbm.sample(len(rows), init=partly, **given)
        if inverse_transform is not None:
            display.X = inverse_transform(rows)
            display.completions = {
                name: inverse_transform(rows) for name, rows in display.completions.items()
            }
        return display.plot(ax=ax, name=name, im_kw=im_kw)


def _framed(rows, X):
    """Rows as a data frame with the names of X, if X is one: the estimator may know the names."""
    frame = nw.from_native(X, pass_through=True)
    if not isinstance(frame, nw.DataFrame):
        return rows
    names, library = frame.columns, frame.implementation
    return nw.from_numpy(rows, schema=names, backend=library).to_native()


def _lines(parts):
    """Lines of images below each other, as one image; neighbours share a frame."""
    lines = [tiles(images, len(images)) for images in parts]
    return np.concatenate([lines[0], *(line[1:] for line in lines[1:])])


def _colours(values, made, vmin, vmax):
    """Values as colours: made is 1 where a pixel is completed, 0 elsewhere, NaN in the frame."""
    from matplotlib import colormaps, colors

    scale = colors.Normalize(vmin, vmax)
    grey, blue = (colormaps[name](scale(np.nan_to_num(values))) for name, _ in (KNOWN, COMPLETED))
    image = np.where(made[..., np.newaxis] == 1, blue, grey)
    image[np.isnan(values)] = colors.to_rgba(UNKNOWN)
    image[np.isnan(made)] = colors.to_rgba(FRAME)
    return image
