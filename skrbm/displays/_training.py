"""TrainingDisplay: what a fit has written down epoch by epoch."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._canvas import need_matplotlib

#: Labels of the axes, with units.
LABELS = {
    "reconstruction_error": "reconstruction error\n(squared units of X)",
    "validation_score": "validation score\n(nats per row)",
    "free_energy_gap": "free-energy gap\n(nats per row)",
    "learning_rate": "learning rate",
    "n_gibbs_steps": "Gibbs steps\nper update",
    "momentum": "momentum",
    "seconds": "seconds\nper epoch",
}
#: What is drawn unless asked otherwise, if there is something to draw.
USUAL = ("validation_score", "free_energy_gap", "reconstruction_error", "learning_rate")


class TrainingDisplay:
    """Curves of training: one panel per quantity, epoch by epoch.

    If there are validation scores, a dotted line marks the epoch with the highest one. That is
    the epoch whose machine ``fit`` with ``early_stopping=True`` has kept.

    It is recommended to make a display by :meth:`from_estimator`. All parameters are stored as
    attributes.

    Parameters
    ----------
    history : dict of list of float
        One value per epoch for each quantity, such as ``rbm.history_``. You may add lists of your
        own, such as scores of other rows.

    Attributes
    ----------
    ax_ : ndarray of matplotlib Axes of shape (n_quantities,)
        The panels, from the top down.
    figure_ : matplotlib Figure
        The figure that holds the panels.
    lines_ : dict of matplotlib Line2D
        The curve of each quantity.
    best_epoch_ : int or None
        The epoch with the highest validation score, counted from 1; None without such scores.

    See Also
    --------
    TrainingDisplay.from_estimator : Draw the curves of a fitted estimator.
    LikelihoodDisplay : Draw log-likelihoods, which are the measure that matters.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skrbm import BernoulliRBM
    >>> from skrbm.displays import TrainingDisplay
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(30, n_iter=5, random_state=0).fit(X)
    >>> display = TrainingDisplay(rbm.history_).plot(quantities=["learning_rate"])
    >>> display.ax_[0].get_xlabel()
    'epoch'
    """

    def __init__(self, history):
        self.history = history

    def plot(self, *, ax=None, quantities=None, name=None, **line_kw):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, or array-like of them, default=None
            Where to draw: one axes per quantity, such as ``ax_`` of another display. None: the
            axes of a new figure, one below the other.
        quantities : list of str, default=None
            Keys of the history, one panel each. None: validation score, free-energy gap,
            reconstruction error and learning rate, as far as the history has them; if it has none
            of the four, all that it has. Values that are all NaN do not count.
        name : str, default=None
            Name of the curves in the legend, if several fits are drawn into the same axes.
        **line_kw : dict
            Arguments of matplotlib's ``plot``, such as ``color="C1"``.

        Returns
        -------
        display : TrainingDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the history lacks a quantity, or has no epoch; if there are more or fewer axes than
            quantities.

        See Also
        --------
        TrainingDisplay.from_estimator : Draw the curves of a fitted estimator.

        Examples
        --------
        >>> from skrbm.displays import TrainingDisplay
        >>> history = {"validation_score": [-3.0, -2.0, -2.5], "seconds": [0.1, 0.1, 0.1]}
        >>> TrainingDisplay(history).plot().best_epoch_
        2
        """
        plt = need_matplotlib("TrainingDisplay.plot")
        quantities = self._checked(quantities)
        if ax is None:
            size = 6.4, 0.9 + 1.5 * len(quantities)
            _, ax = plt.subplots(
                len(quantities), figsize=size, sharex=True, squeeze=False, layout="constrained"
            )
        self.ax_ = np.array(ax, dtype=object).ravel()
        if len(self.ax_) != len(quantities):
            raise ValueError(
                f"ax has {len(self.ax_)} axes for {len(quantities)} quantities "
                f"({', '.join(quantities)}). Give one for each."
            )
        self.figure_ = self.ax_[0].figure
        self.best_epoch_ = _best_epoch(self.history)
        best = None if self.best_epoch_ is None else f"best epoch: {self.best_epoch_}"
        label = name if best is None or name is None else f"{name}, {best}"
        self.lines_ = {}
        for panel, quantity in zip(self.ax_, quantities, strict=True):
            values = self.history[quantity]
            looks = {"marker": "." if len(values) <= 60 else "", "label": label} | line_kw
            (line,) = panel.plot(np.arange(1, len(values) + 1), values, **looks)
            panel.set_ylabel(LABELS.get(quantity, quantity.replace("_", " ")))
            panel.xaxis.get_major_locator().set_params(integer=True)
            if best is not None:
                mark = {"color": line.get_color(), "linestyle": ":", "zorder": 0}
                panel.axvline(self.best_epoch_, label=best if name is None else None, **mark)
            self.lines_[quantity] = line
        self.ax_[-1].set_xlabel("epoch")
        if self.ax_[0].get_legend_handles_labels()[0]:
            above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "frameon": False}
            self.ax_[0].legend(**({} if name is None else above))
        return self

    def _checked(self, quantities):
        """Keys of the history to draw."""
        present = [key for key, values in self.history.items() if not np.isnan(values).all()]
        if not present or not len(self.history[present[0]]):
            raise ValueError("history has no epoch: there is nothing to draw. Call fit first.")
        if quantities is None:
            return [key for key in USUAL if key in present] or present
        quantities = [quantities] if isinstance(quantities, str) else list(quantities)
        if not quantities:
            raise ValueError(f"quantities is empty. The history has {', '.join(present)}.")
        for quantity in quantities:
            if quantity not in present:
                raise ValueError(
                    f"history has no {quantity!r}, or only NaN. It has {', '.join(present)}."
                )
        return quantities

    @classmethod
    def from_estimator(cls, rbm, *, ax=None, quantities=None, name=None, **line_kw):
        """Draw the curves of a fitted estimator.

        Parameters
        ----------
        rbm : BernoulliRBM, GaussianBernoulliRBM or SoftmaxRBM
            A fitted estimator. With ``early_stopping=True`` it has a validation score and a
            free-energy gap for each epoch.
        ax : matplotlib Axes, or array-like of them, default=None
            As in :meth:`plot`.
        quantities : list of str, default=None
            As in :meth:`plot`; keys of ``rbm.history_``.
        name : str, default=None
            As in :meth:`plot`.
        **line_kw : dict
            As in :meth:`plot`.

        Returns
        -------
        display : TrainingDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If ``rbm`` is not fitted.
        ValueError
            As in :meth:`plot`.

        See Also
        --------
        TrainingDisplay.plot : Draw curves that are there already.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from skrbm import BernoulliRBM
        >>> from skrbm.displays import TrainingDisplay
        >>> X = load_digits().data / 16
        >>> rbm = BernoulliRBM(30, n_iter=5, early_stopping=True, random_state=0).fit(X)
        >>> list(TrainingDisplay.from_estimator(rbm).lines_)
        ['validation_score', 'free_energy_gap', 'reconstruction_error', 'learning_rate']
        """
        need_matplotlib("TrainingDisplay.from_estimator")
        check_is_fitted(rbm, "history_")
        return cls(rbm.history_).plot(ax=ax, quantities=quantities, name=name, **line_kw)


def _best_epoch(history):
    """The epoch with the highest validation score, from 1, or None."""
    scores = history.get("validation_score", ())
    return None if np.isnan(scores).all() else int(np.nanargmax(scores)) + 1
