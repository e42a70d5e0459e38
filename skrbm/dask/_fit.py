"""Training on a cluster."""

from .._estimator.base import BaseRBM
from .._estimator.learning import learn, learner_of
from .._input.checks import fit_context
from .._input.parameters import check_flag, check_integer
from ._cluster import ClusterError
from ._data import DistributedData
from ._partitions import find_client, partitions, row_partitions


@fit_context(prefer_skip_nested_validation=True)
def _fit(rbm, X, y, sample_weight, client, sync_every, warm_up, resume):
    learner = learner_of(rbm)
    if resume and learner.warm_start:
        raise ValueError(
            "resume=True goes on to n_iter epochs in all, and warm_start=True makes n_iter epochs "
            "more: choose one of the two."
        )
    if resume and learner.early_stopping:
        raise ValueError(
            "resume=True cannot go on with early_stopping=True: an estimator does not hold how "
            "long ago its score improved. Set early_stopping=False, or start again."
        )
    go_on = (resume or learner.warm_start) and learner.__sklearn_is_fitted__()
    parts, weights, seen = partitions(X), None, {}
    if sample_weight is not None:
        weights = row_partitions(sample_weight, "sample_weight", len(parts))
        seen["metadata"] = {"sample_weight": sample_weight}
    data = DistributedData(client, sync_every, 0 if go_on and not resume else warm_up)
    data.read(learner, parts, weights, reset=not go_on)
    seen |= {"X": X, "y": X if y is None else y}
    before = vars(rbm)
    try:
        return learn(rbm, learner, data, seen, go_on=go_on, resume=resume)
    except ClusterError as error:
        raise RuntimeError(f"{error} {_kept(rbm, go_on or vars(rbm) is not before)}") from error
    except Exception as error:
        error.add_note(_kept(rbm, go_on or vars(rbm) is not before))
        raise


def _kept(rbm, has_epochs):
    """A sentence on what the estimator holds after an error."""
    if not has_epochs:
        return "No epoch was finished, and the estimator is as it was before."
    mend = "fit(..., resume=True) goes on from there."
    if rbm.warm_start:
        mend = "fit goes on from there, because of warm_start=True: give it the n_iter left."
    return f"The estimator holds epoch {rbm.n_iter_}; {mend}"


def fit(
    rbm,
    X,
    y=None,
    *,
    sample_weight=None,
    client=None,
    sync_every=100,
    warm_up=1000,
    resume=False,
):
    """Fit an estimator to the rows of a Dask collection, which stay where they are.

    Returns
    -------
    rbm
    """
    if not isinstance(rbm, BaseRBM):
        raise TypeError("x")
    client = find_client(client)
    sync_every = check_integer("sync_every", sync_every, 1)
    warm_up = check_integer("warm_up", warm_up, 0)
    check_flag("resume", resume)
    return _fit(rbm, X, y, sample_weight, client, sync_every, warm_up, bool(resume))
