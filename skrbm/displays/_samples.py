"""SamplesDisplay: rows that a machine draws, as images."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._canvas import Tiled, as_images, need_matplotlib


class SamplesDisplay(Tiled):
    """Samples of a machine, one image per row.

    It is recommended to make a display by :meth:`from_estimator`. All parameters are stored as
    attributes.

    Parameters
    ----------
    samples : array-like of shape (n_samples, n_features)
        Rows: samples, or any others, such as data to stand beside samples.
    image_shape : tuple of int
        Height and width of an image, in pixels.
    label : str, default=None
        What the colours show. None: the bar of colours has no label.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes with the samples.
    figure_ : matplotlib Figure
        The figure that holds the axes.
    im_ : matplotlib AxesImage
        All samples, as one image.
    colorbar_ : matplotlib Colorbar
        The bar beside the samples.

    See Also
    --------
    SamplesDisplay.from_estimator : Draw samples from a fitted estimator.
    CompletionDisplay : Draw rows of which a part was known.
    skrbm.metrics.adversarial_accuracy : Measure how well samples resemble data.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skrbm.displays import SamplesDisplay
    >>> X = load_digits().data
    >>> display = SamplesDisplay(X[:20], image_shape=(8, 8), label="grey value").plot(n_columns=10)
    >>> display.im_.get_clim()
    (0.0, 16.0)
    """

    def __init__(self, samples, *, image_shape, label=None):
        self.samples = samples
        self.image_shape = image_shape
        self.label = label

    def plot(self, *, ax=None, n_columns=None, cmap="gray_r", im_kw=None):
        """Draw the samples.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None: the axes of a new figure.
        n_columns : int, default=None
            Number of samples side by side. None: about as many as make a square.
        cmap : str or matplotlib Colormap, default="gray_r"
            Map of colours. In the default the largest value is black, like ink.
        im_kw : dict, default=None
            Arguments of matplotlib's ``imshow``, such as ``{"vmin": -2, "vmax": 2}``. By default
            the scale is from 0 to 1 where all values lie in between, and else from the smallest
            value to the largest.

        Returns
        -------
        display : SamplesDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If a sample has another number of features than an image has pixels.

        See Also
        --------
        SamplesDisplay.from_estimator : Draw samples from a fitted estimator.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm.displays import SamplesDisplay
        >>> display = SamplesDisplay(np.eye(4), image_shape=(2, 2)).plot(n_columns=4)
        >>> display.im_.get_array().shape  # with frames of one pixel
        (4, 13)
        """
        need_matplotlib("SamplesDisplay.plot")
        images = as_images(self.samples, self.image_shape, "samples").astype(float)
        return self._draw(
            images,
            ax=ax,
            n_columns=n_columns,
            cmap=cmap,
            frame="lightsteelblue",
            limits=limits(images),
            label=self.label or "",
            im_kw=im_kw,
        )

    @classmethod
    def from_estimator(
        cls,
        rbm,
        n_samples=60,
        *,
        image_shape,
        output="mean",
        inverse_transform=None,
        random_state=None,
        ax=None,
        n_columns=None,
        cmap="gray_r",
        im_kw=None,
        **how,
    ):
        """Draw samples from a fitted estimator.

        Parameters
        ----------
        rbm : BernoulliRBM, GaussianBernoulliRBM or SoftmaxRBM
            A fitted estimator.
        n_samples : int, default=60
            Number of samples.
        image_shape : tuple of int
            Height and width of an image, in pixels.
        output : {"mean", "sample"}, default="mean"
            What is drawn of the last step of each chain: expectations of the pixels given the
            hidden units, which of binary units are probabilities; or the sample itself, which
            has the noise of every pixel. Both are of the same chains. Contrasts of means are
            weaker than those of data, because means lack that noise.
        inverse_transform : callable, default=None
            Takes rows as the estimator draws them to rows of pixels, for an estimator that stands
            behind another transformer: ``pca.inverse_transform``, for example.
        random_state : int, RandomState instance or None, default=None
            As in ``rbm.sample``: an int gives the same samples at every call.
        ax : matplotlib Axes, default=None
            As in :meth:`plot`.
        n_columns : int, default=None
            As in :meth:`plot`.
        cmap : str or matplotlib Colormap, default="gray_r"
            As in :meth:`plot`.
        im_kw : dict, default=None
            As in :meth:`plot`.
        **how : dict
            Further arguments of ``rbm.sample``, such as ``n_gibbs_steps=2000``, or
            ``method="tempering"``.

        Returns
        -------
        display : SamplesDisplay
            The display, drawn. ``display.samples`` holds the rows.

        Raises
        ------
        NotFittedError
            If ``rbm`` is not fitted.
        ValueError
            If a sample has another number of features than an image has pixels.

        See Also
        --------
        SamplesDisplay.plot : Draw samples that are there already.
        skrbm.BernoulliRBM.sample : How samples are drawn.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from skrbm import BernoulliRBM
        >>> from skrbm.displays import SamplesDisplay
        >>> X = load_digits().data / 16
        >>> rbm = BernoulliRBM(30, n_iter=5, random_state=0).fit(X)
        >>> display = SamplesDisplay.from_estimator(rbm, 12, image_shape=(8, 8), random_state=0)
        >>> display.colorbar_.ax.get_ylabel()
        'probability of a 1'
        """
        need_matplotlib("SamplesDisplay.from_estimator")
        check_is_fitted(rbm, "components_")
        samples = rbm.sample(n_samples, output=output, random_state=random_state, **how)
        label = _meaning(rbm, output, inverse_transform is not None)
        if inverse_transform is not None:
            samples = inverse_transform(samples)
        display = cls(samples, image_shape=image_shape, label=label)
        return display.plot(ax=ax, n_columns=n_columns, cmap=cmap, im_kw=im_kw)


def limits(images):
    """The ends of the scale of colours: of probabilities 0 and 1, else those of the values."""
    lowest, highest = np.nanmin(images), np.nanmax(images)
    if lowest >= 0 and highest <= 1:
        lowest, highest = 0.0, 1.0
    return {"vmin": float(lowest), "vmax": float(highest)}


def _meaning(rbm, output, in_units_of_pixels):
    """What the values of samples are."""
    if output == "sample":
        return "sampled value"
    if hasattr(rbm, "noise_variance_"):
        return "mean of a pixel, without noise"
    is_bits = not hasattr(rbm, "categories_") and not in_units_of_pixels
    return "probability of a 1" if is_bits else "mean of a pixel"
