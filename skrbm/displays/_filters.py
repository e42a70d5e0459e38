"""FiltersDisplay: the weights of hidden units as images."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._input.parameters import check_flag, check_integer
from ._canvas import Tiled, as_images, need_matplotlib


class FiltersDisplay(Tiled):
    """Filters: the weights of hidden units, one image per unit, on one scale of colours.

    A *filter* is the row of ``components_`` of a hidden unit, drawn as an image. A red pixel
    excites the unit, a blue one inhibits the unit, and white is a weight of 0. All filters share
    one scale, so that colours compare units.

    It is recommended to make a display by :meth:`from_estimator`. All parameters are stored as
    attributes.

    Parameters
    ----------
    filters : array-like of shape (n_filters, n_features)
        Weights. A NaN has the colour of the frame.
    image_shape : tuple of int
        Height and width of an image, in pixels.
    units : array-like of int of shape (n_filters,), default=None
        Numbers of the hidden units. None: 0, 1, 2, ...
    label : str, default="weight"
        What the colours show.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes with the filters.
    figure_ : matplotlib Figure
        The figure that holds the axes.
    im_ : matplotlib AxesImage
        All filters, as one image.
    colorbar_ : matplotlib Colorbar
        The bar beside the filters.

    See Also
    --------
    FiltersDisplay.from_estimator : Draw the filters of a fitted estimator.
    SamplesDisplay : Draw what the estimator samples.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skrbm import BernoulliRBM
    >>> from skrbm.displays import FiltersDisplay
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(30, n_iter=5, random_state=0).fit(X)
    >>> display = FiltersDisplay(rbm.components_[:12], image_shape=(8, 8)).plot(n_columns=6)
    >>> display.colorbar_.ax.get_ylabel()
    'weight'
    """

    def __init__(self, filters, *, image_shape, units=None, label="weight"):
        self.filters = filters
        self.image_shape = image_shape
        self.units = units
        self.label = label

    def plot(self, *, ax=None, n_columns=None, normalize=False, cmap="RdBu_r", im_kw=None):
        """Draw the filters.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None: the axes of a new figure.
        n_columns : int, default=None
            Number of filters side by side. None: about as many as make a square.
        normalize : bool, default=False
            Whether each filter is divided by the largest of its weights, without regard to signs.
            Filters of small weights then show their form, and colours no longer compare units.
        cmap : str or matplotlib Colormap, default="RdBu_r"
            A diverging map of colours; its middle is a weight of 0.
        im_kw : dict, default=None
            Arguments of matplotlib's ``imshow``, such as ``{"vmin": -2, "vmax": 2}``. By default
            the scale ends at the largest weight shown.

        Returns
        -------
        display : FiltersDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If a filter has another number of weights than an image has pixels.

        See Also
        --------
        FiltersDisplay.from_estimator : Draw the filters of a fitted estimator.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm.displays import FiltersDisplay
        >>> display = FiltersDisplay(np.eye(4) - 0.5, image_shape=(2, 2)).plot()
        >>> display.im_.get_clim()
        (-0.5, 0.5)
        """
        need_matplotlib("FiltersDisplay.plot")
        images = as_images(self.filters, self.image_shape, "filters").astype(float)
        check_flag("normalize", normalize)
        label = self.label
        if normalize:
            largest = np.nanmax(np.abs(images), axis=(1, 2), keepdims=True)
            images = images / np.where(largest > 0, largest, 1)
            label = f"{label} / largest of the filter"
        limit = np.nanmax(np.abs(images)) or 1.0
        return self._draw(
            images,
            ax=ax,
            n_columns=n_columns,
            cmap=cmap,
            frame="0.4",
            limits={"vmin": -limit, "vmax": limit},
            label=label,
            im_kw=im_kw,
        )

    @classmethod
    def from_estimator(
        cls,
        rbm,
        *,
        image_shape,
        order=None,
        n=None,
        X=None,
        inverse_transform=None,
        category=None,
        ax=None,
        n_columns=None,
        normalize=False,
        cmap="RdBu_r",
        im_kw=None,
    ):
        """Draw the filters of a fitted estimator.

        Parameters
        ----------
        rbm : BernoulliRBM, GaussianBernoulliRBM or SoftmaxRBM
            A fitted estimator. A fitted ``BernoulliRBM`` of scikit-learn serves as well.
        image_shape : tuple of int
            Height and width of an image, in pixels.
        order : {"norm", "variation"} or array-like of int, default=None
            Which filters come first. None: as stored. "norm": those with the largest weights, by
            the root of their sum of squares. "variation": those of the units whose probabilities
            vary most from row to row of X, by standard deviation. An array: the numbers of the
            hidden units to draw.
        n : int, default=None
            Number of filters. None: all.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Rows for ``order="variation"``, as the estimator reads them.
        inverse_transform : callable, default=None
            Takes rows as the estimator sees them to rows of pixels, for an estimator that stands
            behind another transformer: ``pca.inverse_transform``, for example. The map must be
            affine, and its constant is left out. See Notes.
        category : float, default=None
            For a ``SoftmaxRBM`` alone: the category whose weights are drawn, above the mean over
            the categories of the feature. None: the slopes of the weights over the values of the
            categories. Both are what ``top_features`` gives.
        ax : matplotlib Axes, default=None
            As in :meth:`plot`.
        n_columns : int, default=None
            As in :meth:`plot`.
        normalize : bool, default=False
            As in :meth:`plot`.
        cmap : str or matplotlib Colormap, default="RdBu_r"
            As in :meth:`plot`.
        im_kw : dict, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : FiltersDisplay
            The display, drawn. ``display.units`` holds the numbers of the hidden units.

        Raises
        ------
        NotFittedError
            If ``rbm`` is not fitted.
        ValueError
            If there are fewer hidden units than n; if the order is none of those above; if
            ``inverse_transform`` is not affine; if ``X`` or ``category`` does not go with the
            other arguments.

        See Also
        --------
        FiltersDisplay.plot : Draw filters that are there already.
        skrbm.SoftmaxRBM.top_features : The features that a hidden unit speaks for.

        Notes
        -----
        With ``inverse_transform`` the filter of a ``GaussianBernoulliRBM`` is what the unit, when
        it is on, adds to the mean of a row, ``sqrt(noise_variance_) * components_``, as pixels. A
        PCA with ``whiten=True`` has two such maps. ``pca.inverse_transform`` gives what the unit
        adds to an image, in which the components of large variance prevail: broad and smooth
        shades. ``lambda rows: rows @ pca.components_`` gives what it adds to the whitened image,
        in which all components count alike: edges.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from skrbm import BernoulliRBM
        >>> from skrbm.displays import FiltersDisplay
        >>> X = load_digits().data / 16
        >>> rbm = BernoulliRBM(30, n_iter=5, random_state=0).fit(X)
        >>> display = FiltersDisplay.from_estimator(
        ...     rbm, image_shape=(8, 8), order="variation", X=X, n=12
        ... )
        >>> len(display.units)
        12
        """
        need_matplotlib("FiltersDisplay.from_estimator")
        check_is_fitted(rbm, "components_")
        units = _chosen_units(rbm, order, n, X)
        filters, label = _weights_of(rbm, units, category)
        if inverse_transform is not None:
            if hasattr(rbm, "noise_variance_"):
                filters, label = filters * np.sqrt(rbm.noise_variance_), "added to the mean"
            filters = _linear_part(inverse_transform, filters)
        display = cls(filters, image_shape=image_shape, units=units, label=label)
        return display.plot(
            ax=ax, n_columns=n_columns, normalize=normalize, cmap=cmap, im_kw=im_kw
        )


def _chosen_units(rbm, order, n, X):
    """Numbers of the hidden units to draw, in order."""
    n_units = len(rbm.components_)
    if (X is None) == (isinstance(order, str) and order == "variation"):
        raise ValueError(
            "order='variation' and X go together: X holds the rows for which the probabilities of "
            f"hidden units vary. Got order={order!r} {'without' if X is None else 'with'} X."
        )
    if order is None:
        units = np.arange(n_units)
    elif isinstance(order, str) and order == "norm":
        units = np.argsort(-np.square(rbm.components_, dtype=float).sum(axis=1), kind="stable")
    elif isinstance(order, str) and order == "variation":
        units = np.argsort(-np.asarray(rbm.transform(X)).std(axis=0), kind="stable")
    else:
        units = _numbers_of_units(order, n_units)
    if n is None:
        return units
    n = check_integer("n", n, 1)
    if n > len(units):
        raise ValueError(f"n={n} filters are asked for, but there are {len(units)} to draw.")
    return units[:n]


def _numbers_of_units(order, n_units):
    """An order that is given as numbers of hidden units, as an array."""
    numbers = np.asarray(order)
    flat = numbers.ndim == 1 and len(numbers) and numbers.dtype.kind in "iu"
    if not flat:
        raise ValueError(
            "order must be None, 'norm', 'variation' or a flat array of numbers of hidden units. "
            f"Got {order!r} instead."
        )
    wrong = numbers[(numbers < 0) | (numbers >= n_units)]
    if len(wrong):
        raise ValueError(
            f"order names hidden unit {wrong[0]}, but the units are numbered from 0 to "
            f"{n_units - 1}."
        )
    return numbers


def _weights_of(rbm, units, category):
    """Weights of hidden units with one number per feature, and what they are."""
    if not hasattr(rbm, "top_features"):
        if category is not None:
            raise ValueError(
                f"category={category!r} is for a SoftmaxRBM. {type(rbm).__name__} has one weight "
                "per feature: leave category out."
            )
        return np.asarray(rbm.components_)[units], "weight"
    filters = np.full((len(units), rbm.n_features_in_), np.nan)
    for row, unit in zip(filters, units, strict=True):
        features, scores = rbm.top_features(int(unit), rbm.n_features_in_, category)
        row[features] = scores
    return filters, "slope of weights" if category is None else f"weight of category {category}"


def _linear_part(inverse_transform, rows):
    """Rows by an affine map without its constant."""
    constant, once, twice = (
        np.asarray(inverse_transform(factor * rows), dtype=float) for factor in (0, 1, 2)
    )
    scale = max(np.abs(once).max(), np.abs(twice).max())
    precision = np.finfo(rows.dtype).eps
    if not np.allclose(twice - once, once - constant, rtol=0, atol=1e3 * precision * scale):
        raise ValueError(
            "inverse_transform must be affine, so that what a unit adds to an image is the same "
            "for each image. It gives other differences for rows twice as large."
        )
    return once - constant
