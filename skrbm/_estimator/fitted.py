"""The fitted attributes: read at one moment, checked, and replaced in one step.

Another thread may refit an estimator while a method reads it, and Ctrl-C may come at any time. So
a method works on a snapshot, and learning ends in one assignment: whoever looks sees the old
machine or the new one, never a mixture.
"""

from copy import deepcopy
from zlib import crc32

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._input.checks import check_hidden, in_dtype, working_dtype
from .._input.parameters import check_integer, equal_parameters
from .._machine.bernoulli import BernoulliLayer
from .._machine.memory import aligned
from .._machine.rbm import RBM
from .._training.averaging import Average
from .._training.centring import Centring
from .._training.optimizers import Momentum
from .._training.state import FIGURES, State

#: What only learning, or a look back at it, needs: the larger part of a fitted estimator.
_OF_LEARNING = (
    "h_samples_", "_records", "_n_records", "_averaged", "_velocity", "_skl_callbacks",
)  # fmt: skip
#: What validation learns of the features of X. The names exist only if all are strings.
FEATURES = ("n_features_in_", "feature_names_in_")


def snapshot(estimator):
    """An estimator that shares the parameters and the fitted attributes of this moment."""
    copy = object.__new__(type(estimator))
    copy.__dict__ = vars(estimator).copy()  # one step of the interpreter
    return copy


def reading_copy(estimator):
    """A snapshot for reading methods alone: small to send, and of no callbacks."""
    copy = snapshot(estimator)
    for name in _OF_LEARNING:
        vars(copy).pop(name, None)
    return copy


def features_of(estimator):
    """What validation has learned of the features of X."""
    return {name: vars(estimator)[name] for name in FEATURES if name in vars(estimator)}


def replace_fitted(estimator, attributes):
    """Put fitted attributes in the place of others; features of X that are not named go."""
    state = vars(estimator).copy()
    for name in FEATURES:
        state.pop(name, None)
    state.update(attributes)
    estimator.__dict__ = state  # one step of the interpreter


def fitted_array(estimator, name, n_dimensions, dtype=None):
    """A fitted attribute as an array that a kernel can read, as the user may have replaced it.

    Parameters
    ----------
    estimator : estimator instance
    name : str
    n_dimensions : int, or tuple of int to choose from
    dtype : dtype or None
        None: the dtype that the array has.
    """
    array = vars(estimator).get(name)
    kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} of {type(estimator).__name__} must be a NumPy array of numbers, but is "
            f"{'missing' if array is None else f'of type {kind}'}. Fit the estimator, or set the "
            "attribute to an array."
        )
    if array.ndim not in np.atleast_1d(n_dimensions):
        raise ValueError(
            f"{name} of {type(estimator).__name__} has the shape {array.shape}, but must have "
            f"{n_dimensions} dimension{'s' if n_dimensions != 1 else ''}. Set it to such an array."
        )
    return aligned(array) if dtype is None else in_dtype(array, dtype, name)


def _averaged(state, fitted):
    """What an estimator of averaged parameters has to know besides them, to go on learning.

    A dict, as pickles name no private class: the parameters that learn, which are no averages;
    counts of the average; and checksums of the fitted attributes, by which these are known again
    if nobody has changed them.
    """
    average = state.average
    if average is None:
        return None
    return {
        "parameters": state.model.parameters,
        "n_updates": average.n_updates,
        "n_added": average.n_added,
        # Categories, which are a list, are no parameters.
        "checksums": {k: _checksum(v) for k, v in fitted.items() if not isinstance(v, list)},
    }


def _checksum(parameter):
    """Of the numbers of a fitted attribute, or None of what a machine does not have."""
    # Weights are stored transposed: the transpose of the attribute is contiguous.
    return None if parameter is None else crc32(np.ascontiguousarray(parameter.T))


def _learning(model, averaged, fitted):
    """The machine that learns, and the average, of a machine of fitted attributes.

    Averages that somebody has changed are where learning starts again.
    """
    if averaged is None or any(
        _checksum(fitted.get(name)) != checksum for name, checksum in averaged["checksums"].items()
    ):
        return model, None
    parameters = [_in(model.dtype, last) for last in averaged["parameters"]]
    return model.with_parameters(parameters), Average(
        model, averaged["n_updates"], averaged["n_added"]
    )


def _in(dtype, array):
    """An array of ours in the dtype to work in, as a kernel can read it."""
    return aligned(array.astype(dtype, copy=False))


class FittedMachine:
    """Mixin of what is between the fitted attributes and a machine, or a state of training."""

    @property
    def history_(self):
        """Figures of each epoch, a dict of lists.

        The class describes the figures, under Attributes.

        See Also
        --------
        score : The exact pseudo-likelihood, of any rows.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, n_iter=3, random_state=0).fit(X)
        >>> errors = rbm.history_["reconstruction_error"]
        >>> len(errors), errors[-1] < errors[0]
        (3, True)
        """
        fitted = vars(self).copy()
        if "_records" not in fitted:
            raise AttributeError(f"this {type(self).__name__} has no history_: it is not fitted.")
        records = fitted["_records"][: fitted["_n_records"]]
        return {figure: [record[figure] for record in records] for figure in FIGURES}

    def _base_rates(self):
        """The bias of the visible layer before training, at which chains start."""
        if "_base_rate_bias" not in vars(self):
            raise ValueError(
                f"chains and learning need what fit learns of the data, but the attributes of "
                f"this {type(self).__name__} were set by hand. Call fit with warm_start=False; "
                "or take a machine of scikit-learn over with BernoulliRBM.from_sklearn."
            )
        return aligned(self._base_rate_bias)

    # --- reading ---

    def _dtype(self):
        """The dtype to work in where no data say it: float32 or float64."""
        return working_dtype(fitted_array(self, "components_", 2).dtype)

    def _fitted(self):
        """The fitted estimator as it is at this moment: what a reading method reads."""
        check_is_fitted(self)
        return snapshot(self)

    def _machine(self, dtype):
        """The machine of the fitted attributes: a view where their dtype is already right."""
        weights = fitted_array(self, "components_", 2, dtype).T
        hidden_bias = fitted_array(self, "intercept_hidden_", 1, dtype)
        return RBM(
            visible=self._visible_layer(dtype),
            weights=np.ascontiguousarray(weights),
            hidden=BernoulliLayer(np.ascontiguousarray(hidden_bias)),
        )

    def _read(self, X, allow_unknown=False, counted=None):
        """Validated rows of X, all or those that count, and the fitted machine in their dtype."""
        rows = self._rows(X, allow_unknown=allow_unknown, counted=counted)
        self._check_reading(rows)
        return rows, self._machine_for(rows, rows.dtype)

    def _read_hidden(self, H, name):
        """Validated hidden rows, an argument of this name, and the machine in their dtype."""
        H = check_hidden(self, H, len(fitted_array(self, "components_", 2)), name)
        return H, self._machine(H.dtype)

    def _machine_for(self, rows, dtype):
        """The fitted machine, if the rows have its features: kernels do not check bounds."""
        machine = self._machine(dtype)
        if rows.n_features != machine.visible.n_features:
            raise ValueError(
                f"X has {rows.n_features} features, but components_ of {type(self).__name__} "
                f"belong to a machine of {machine.visible.n_features}: the fitted attributes do "
                "not fit together. Call fit with warm_start=False to start again."
            )
        return machine

    def __sklearn_is_fitted__(self):
        return "components_" in vars(self)

    # --- learning ---

    def _attributes(self, state):
        """The fitted attributes that hold a training state, as views of its arrays."""
        decided = {name: deepcopy(getattr(self, name)) for name in self._first_call_decides}
        fitted = {
            "components_": state.fitted.weights.T,
            "intercept_hidden_": state.fitted.hidden.bias,
            **self._visible_attributes(state.fitted.visible),
        }
        return {
            **fitted,
            "h_samples_": state.chains,
            "n_iter_": state.n_epochs,
            "_records": state.records,
            "_n_records": state.n_records,
            "_base_rate_bias": state.base_rate_bias,
            "_data_mean": state.centring.data_mean,
            "_hidden_mean": state.centring.hidden_mean,
            "_averaged": _averaged(state, fitted),
            "_seed": state.seed,
            "_n_updates": state.n_updates,
            "_velocity": state.optimizer.velocity,
            # What the parameters were that cannot change. (In later calls they are the same.)
            "_decided": decided,
        }

    def _adopt(self, learner, state):
        """Make what a learner has learned the fitted state."""
        replace_fitted(self, features_of(learner) | learner._attributes(state))
        return self

    def _state(self, rows, n_parts=1):
        """The training state that the fitted attributes hold, to go on with on these rows.

        In each of ``n_parts`` parts of the rows there are persistent chains.
        """
        base_rate_bias = self._base_rates()
        n_epochs = check_integer("n_iter_", vars(self).get("n_iter_"), 0)
        self._check_continuation(n_parts)
        machine = self._machine_for(rows, self._dtype())
        model, average = _learning(machine, self._averaged, vars(self))
        chains = fitted_array(self, "h_samples_", (2, 3), model.dtype)
        shapes = [velocity.shape for velocity in self._velocity]
        if (
            chains.size == 0
            or chains.shape[-1] != model.weights.shape[1]
            or len(base_rate_bias) != model.visible.n_units
            or len(self._hidden_mean) != model.hidden.n_units
            or (shapes and shapes != [parameter.shape for parameter in model.parameters])
        ):
            raise ValueError(
                f"cannot go on learning {self.components_.shape[0]} x "
                f"{self.components_.shape[1]} components_ with h_samples_ of shape "
                f"{chains.shape} and velocities for others: the shape of a fitted "
                "machine must stay the same. Call fit with warm_start=False to start again."
            )
        velocity = tuple(_in(model.dtype, velocity) for velocity in self._velocity)
        return State(
            model=model,
            seed=self._seed,
            base_rate_bias=base_rate_bias,
            chains=chains,
            centring=Centring(
                _in(model.dtype, self._data_mean), _in(model.dtype, self._hidden_mean)
            ),
            optimizer=Momentum(velocity),
            average=average,
            n_updates=self._n_updates,
            n_epochs=n_epochs,
            records=self._records,
            n_records=self._n_records,
        )

    def _check_continuation(self, n_parts):
        """Refuse parameters other than those that the machine began with."""
        shape = fitted_array(self, "h_samples_", (2, 3)).shape
        if (self.algorithm == "pt") != (len(shape) == 3):
            raise ValueError(
                f"algorithm={self.algorithm!r} cannot go on with h_samples_ of shape "
                f"{shape}: with algorithm='pt', and only then, h_samples_ has a "
                "first dimension for the temperatures. The first call of fit or partial_fit "
                "decides. Call fit with warm_start=False to start again."
            )
        decided = dict(self._decided)
        if self.algorithm == "pt":
            decided["n_temperatures"] = shape[0]
        # Parts that cannot share the chains are refused where the chains are shared out.
        asked = None if self.algorithm == "cd" or shape[-2] % n_parts else self.n_chains
        n_chains = shape[-2] // n_parts
        if asked not in (None, n_chains):
            each = "" if n_parts == 1 else f", {n_chains} for each of {n_parts} partitions"
            raise ValueError(
                f"n_chains={asked!r} cannot go on with h_samples_, which holds {shape[-2]} "
                f"chains{each}: the first call of fit or partial_fit decides. Set "
                f"n_chains={n_chains} or n_chains=None, or call fit with warm_start=False to "
                "start again."
            )
        for name, value in decided.items():
            if not equal_parameters(getattr(self, name), value):
                raise ValueError(
                    f"{name}={getattr(self, name)!r} cannot go on with a machine that began with "
                    f"{name}={value!r}: the first call of fit or partial_fit decides. Call fit "
                    "with warm_start=False to start again."
                )
