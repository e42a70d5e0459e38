"""LikelihoodDisplay: how probable rows are to a machine, and how well that is known."""

from collections.abc import Mapping
from itertools import count, cycle

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._canvas import need_matplotlib

NAMES = {"exact": "exact", "ais": "AIS", "reverse_ais": "reverse AIS"}
COLOURS = {"exact": "black", "ais": "C0", "reverse_ais": "C1"}
LINES = ("-", "--", ":", "-.")  # of sets of rows


class LikelihoodDisplay:
    """Mean log-likelihood of rows by several methods, with 95 % intervals.

    Without ``x`` each method is a point with its interval, and the legend has the numbers. With
    ``x`` each method is a curve, such as one along the training, with a band.

    It is recommended to make a display by :meth:`from_estimator`. All parameters are stored as
    attributes.

    Parameters
    ----------
    estimates : dict of dict
        ``estimates[rows][method]`` is the mean log-likelihood of a set of rows in nats, and the
        ends of its interval: ``(mean, lower, upper)``, or with ``x`` an array of shape (n_x, 3).
        Both keys are names for the legend; "exact", "ais" and "reverse_ais" have colours of their
        own.
    x : array-like of shape (n_x,), default=None
        Where the estimates stand on the x axis, such as epochs.
    xlabel : str, default=None
        Label of the x axis, such as "epoch".

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes with the estimates.
    figure_ : matplotlib Figure
        The figure that holds the axes.
    lines_ : dict of dict of matplotlib Line2D
        The points or the curve of each set of rows and method.
    legend_ : matplotlib Legend
        The legend.

    See Also
    --------
    LikelihoodDisplay.from_estimator : Estimate the likelihood of a fitted estimator and draw it.
    skrbm.BernoulliRBM.log_partition : How log Z is computed, and what intervals mean.

    Examples
    --------
    Curves along the training, from estimates that are there already:

    >>> from skrbm.displays import LikelihoodDisplay
    >>> exact = [(-20.0, -20.0, -20.0), (-18.0, -18.0, -18.0)]
    >>> ais = [(-19.9, -20.1, -19.7), (-18.0, -18.1, -17.9)]
    >>> display = LikelihoodDisplay(
    ...     {"held-out rows": {"exact": exact, "ais": ais}}, x=[1, 2], xlabel="epoch"
    ... ).plot()
    >>> display.ax_.get_xlabel()
    'epoch'
    """

    def __init__(self, estimates, *, x=None, xlabel=None):
        self.estimates = estimates
        self.x = x
        self.xlabel = xlabel

    def plot(self, *, ax=None, difference_from=None):
        """Draw the estimates.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None: the axes of a new figure.
        difference_from : str, default=None
            A method, such as "exact": the estimates are drawn less the mean of this method, so
            that small errors show beside a large change of the likelihood.

        Returns
        -------
        display : LikelihoodDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If estimates have another shape than is asked for above, or ``difference_from`` is
            none of the methods.

        See Also
        --------
        LikelihoodDisplay.from_estimator : Estimate the likelihood of a fitted estimator.

        Examples
        --------
        >>> from skrbm.displays import LikelihoodDisplay
        >>> estimates = {"rows": {"exact": (-18.0, -18.0, -18.0), "ais": (-17.9, -18.1, -17.7)}}
        >>> display = LikelihoodDisplay(estimates).plot()
        >>> [text.get_text() for text in display.legend_.get_texts()]
        ['exact  -18.00', 'AIS  -17.90 [-18.10, -17.70]']
        """
        plt = need_matplotlib("LikelihoodDisplay.plot")
        estimates = self._checked(difference_from)
        if ax is None:
            size = (6.4, 4.2) if self.x is not None else (9, 1.2 + 0.9 * len(estimates))
            _, ax = plt.subplots(figsize=size, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        label = "mean log-likelihood"
        if difference_from is not None:
            label = f"{label},\nless that by {NAMES.get(difference_from, difference_from)}"
        if self.x is None:
            self.lines_ = self._points(estimates)
            ax.set_xlabel(f"{label} (nats)")
            place = {"loc": "upper left", "bbox_to_anchor": (1, 1)}  # numbers need room
        else:
            self.lines_ = self._curves(estimates)
            ax.set(xlabel=self.xlabel, ylabel=f"{label} (nats)")
            place = {}
        uncertain = any(
            (values[:, 1] < values[:, 2]).any()
            for methods in estimates.values()
            for values in methods.values()
        )
        self.legend_ = ax.legend(title="with 95 % intervals" if uncertain else None, **place)
        return self

    def _checked(self, difference_from):
        """Estimates as arrays of shape (n_x, 3), or (1, 3), less those of a method if asked."""
        if not self.estimates or not all(self.estimates.values()):
            raise ValueError(
                "there is nothing to draw: estimates must hold rows, and of all rows a method."
            )
        n_x = 1 if self.x is None else len(self.x)
        checked = {}
        for rows, methods in self.estimates.items():
            arrays = checked[rows] = {
                method: np.array(values, dtype=float, ndmin=2)
                for method, values in methods.items()
            }
            for method, values in arrays.items():
                if values.shape != (n_x, 3):
                    raise ValueError(
                        f"estimates[{rows!r}][{method!r}] must be (mean, lower, upper)"
                        f"{'' if self.x is None else f' for each of {n_x} values of x'}. Got an "
                        f"array of shape {np.shape(methods[method])}."
                    )
            if difference_from is None:
                continue
            if difference_from not in arrays:
                raise ValueError(
                    f"difference_from={difference_from!r} is none of the methods of {rows!r}, "
                    f"which are {', '.join(map(repr, arrays))}."
                )
            base = arrays[difference_from][:, :1]
            checked[rows] = {method: values - base for method, values in arrays.items()}
        return checked

    def _points(self, estimates):
        """A point with a bar per method, and a band of points per set of rows."""
        lines, several, colours = {}, len(estimates) > 1, _colours(estimates)
        for place, (rows, methods) in enumerate(estimates.items()):
            lines[rows] = {}
            shifts = np.linspace(-0.25, 0.25, len(methods)) if len(methods) > 1 else [0.0]
            for shift, (method, ((mean, lower, upper),)) in zip(
                shifts, methods.items(), strict=True
            ):
                label = _label(rows if several else None, method) + f"  {mean:.2f}"
                if lower < upper:
                    label += f" [{lower:.2f}, {upper:.2f}]"
                bars = self.ax_.errorbar(
                    mean,
                    place + shift,
                    xerr=[[mean - lower], [upper - mean]],
                    fmt="o",
                    capsize=4 if lower < upper else 0,
                    color=colours[method],
                    label=label,
                )
                lines[rows][method] = bars.lines[0]
        self.ax_.set_yticks(range(len(estimates)), list(estimates) if several else [""])
        self.ax_.tick_params(axis="y", length=0)
        self.ax_.set_ylim(len(estimates) - 0.5, -0.5)  # the first set on top
        return lines

    def _curves(self, estimates):
        """A curve with a band per method and set of rows; the exact one is drawn on top."""
        lines, several, colours = {}, len(estimates) > 1, _colours(estimates)
        for dashes, (rows, methods) in zip(cycle(LINES), estimates.items(), strict=False):
            lines[rows] = {}
            for method, values in methods.items():
                mean, lower, upper = values.T
                on_top = {"zorder": 3, "linewidth": 1} if method == "exact" else {}
                (line,) = self.ax_.plot(
                    self.x,
                    mean,
                    linestyle=dashes,
                    marker=".",
                    color=colours[method],
                    label=_label(rows if several else None, method),
                    **on_top,
                )
                colour = line.get_color()
                self.ax_.fill_between(self.x, lower, upper, color=colour, alpha=0.25, lw=0)
                lines[rows][method] = line
        return lines

    @classmethod
    def from_estimator(
        cls,
        rbm,
        X,
        *,
        methods=("exact", "ais", "reverse_ais"),
        n_chains=100,
        n_betas=10000,
        init=None,
        random_state=None,
        ax=None,
        difference_from=None,
    ):
        """Compute the mean log-likelihood of rows under a fitted estimator, and draw it.

        Parameters
        ----------
        rbm : BernoulliRBM, GaussianBernoulliRBM or SoftmaxRBM
            A fitted estimator.
        X : array-like of shape (n_samples, n_features), or dict of such
            Complete rows; or several sets of rows under their names, such as "training rows" and
            "held-out rows".
        methods : sequence of {"auto", "exact", "ais", "reverse_ais"}, default=("exact", "ais", \
"reverse_ais")
            How log Z is computed, see ``log_partition``. "exact" is for machines with a layer of
            at most 25 units: leave it out for larger ones, and trust estimates that agree.
        n_chains : int, default=100
            Number of chains of an estimate.
        n_betas : int, default=10000
            Number of inverse temperatures of an estimate.
        init : array-like of shape (n_rows, n_features), default=None
            For "reverse_ais": rows where its chains start, such as training data.
        random_state : int, RandomState instance or None, default=None
            An int gives the same estimates at every call.
        ax : matplotlib Axes, default=None
            As in :meth:`plot`.
        difference_from : str, default=None
            As in :meth:`plot`.

        Returns
        -------
        display : LikelihoodDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If ``rbm`` is not fitted.
        ValueError
            If log Z cannot be computed by one of the methods; if a row is incomplete.

        See Also
        --------
        LikelihoodDisplay.plot : Draw estimates that are there already.
        skrbm.BernoulliRBM.log_likelihood : The log-likelihood of each row.

        Notes
        -----
        The intervals are those of log Z. They do not cover the choice of rows.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from skrbm import BernoulliRBM
        >>> from skrbm.displays import LikelihoodDisplay
        >>> X = load_digits().data > 7
        >>> rbm = BernoulliRBM(8, n_iter=5, random_state=0).fit(X)
        >>> display = LikelihoodDisplay.from_estimator(
        ...     rbm, X, methods=("exact", "ais"), n_betas=100, random_state=0
        ... )
        >>> list(display.estimates["rows"])
        ['exact', 'ais']
        """
        need_matplotlib("LikelihoodDisplay.from_estimator")
        check_is_fitted(rbm, "components_")
        methods = (methods,) if isinstance(methods, str) else tuple(methods)
        sets = X if isinstance(X, Mapping) else {"rows": X}
        random_state = check_random_state(random_state)
        # Rows are read once, and refused before anything is annealed.
        unnormalised = {
            rows: float(np.mean(rbm.log_likelihood(table, 0.0), dtype=float))
            for rows, table in sets.items()
        }
        estimates = {rows: {} for rows in sets}
        for method in methods:
            given = {"n_chains": n_chains, "n_betas": n_betas, "random_state": random_state}
            given |= {"init": init} if method == "reverse_ais" else {}
            log_z = rbm.log_partition(method, **given)
            values = log_z.value, *reversed(log_z.interval)
            for rows, mean in unnormalised.items():
                estimates[rows][log_z.method] = tuple(mean - value for value in values)
        return cls(estimates).plot(ax=ax, difference_from=difference_from)


def _colours(estimates):
    """The colour of each method, the same in all sets of rows."""
    methods = dict.fromkeys(method for methods in estimates.values() for method in methods)
    others = (f"C{i}" for i in count(2))
    return {method: COLOURS.get(method) or next(others) for method in methods}


def _label(rows, method):
    """What the legend says of a method, and of a set of rows if there are several."""
    name = NAMES.get(method, method)
    return name if rows is None else f"{rows}, {name}"
