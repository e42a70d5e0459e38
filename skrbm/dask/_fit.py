"""Training on a cluster."""

from .._estimator.learning import learn, learner_of
from .._input.checks import fit_context
from .._input.parameters import check_flag, check_integer, check_share
from ._cluster import ClusterError, waiting
from ._data import DistributedData
from ._partitions import check_rbm, find_client, partitions, row_partitions


def fit(
    rbm,
    X,
    y=None,
    *,
    sample_weight=None,
    client=None,
    sync_every=100,
    warm_up=1000,
    outer_momentum=0.0,
    resume=False,
):
    """Fit an estimator to the rows of a Dask collection, which stay where they are.

    Every partition trains a replica of the machine: with its rows, its chains and its random
    numbers. A *round* is ``sync_every`` updates of each replica, from common parameters. The mean
    of the replicas, by the rows that each has seen, is what the next round starts from [1]_, [2]_.
    With ``sync_every=1`` and ``centering=False`` that is synchronous gradient ascent: one step
    along the mean gradient. With one partition the result is that of ``rbm.fit``, bit for bit.

    The same partitions and ``random_state`` give the same bits on any number of workers, of
    threads or processes, and after workers have died. Each task is the work of one thread.

    Parameters
    ----------
    rbm : BernoulliRBM, GaussianBernoulliRBM or SoftmaxRBM
        The estimator to fit. ``batch_size`` and ``n_chains`` are those of each partition. So
        divide the ``batch_size`` of one computer, and not the learning rate, by the number of
        partitions. With ``n_chains=None`` each partition has as many chains as the batches of all
        have rows, up to 100; at least as many as its batch has.
    X : dask array, dask DataFrame, or list of Delayed or Future
        Training data; each partition holds whole rows. Blocks may be sparse. Take about as many
        partitions as the cluster has threads. Partitions without rows are left out.
    y : Ignored
        Present for API consistency. Callbacks receive y, or X in its place if y is None.
    sample_weight : dask array, dask Series, or list of Delayed or Future, default=None
        How often each row counts, as in ``rbm.fit``; cut as X is cut.
    client : distributed.Client, default=None
        None: the client of this process, the last one that was made.
    sync_every : int, default=100
        Number of updates of each replica between two means. A partition that has fewer
        mini-batches than others takes no part in the last rounds of an epoch. If no partition has
        so many mini-batches, there is one mean per epoch.
    warm_up : int, default=1000
        Number of updates, at most, that the first partition makes alone, before the first round:
        no more than five passes through its rows. Replicas that break the symmetry of the hidden
        units each in its own way have a poor mean. Of a single partition there is no warm-up.
    outer_momentum : float, default=0.0
        Momentum from round to round of an epoch, at least 0 and below 1: the mean of a round moves
        on as the means of the rounds before have moved [3]_. The more partitions there are, the
        fewer updates each makes, and the slower their mean learns. With 16 partitions and more
        try 0.5 to 0.8, and a smaller ``sync_every``.
    resume : bool, default=False
        Whether to go on from the epochs that ``rbm`` holds, to ``n_iter`` epochs in all: with the
        same partitions the result is that of a fit that nothing has disturbed. An estimator that
        is not fitted starts from its beginning. ``warm_start=True`` makes ``n_iter`` epochs more.

    Returns
    -------
    rbm : BernoulliRBM, GaussianBernoulliRBM or SoftmaxRBM
        ``rbm`` itself, fitted. ``h_samples_`` holds the persistent chains of all partitions. To go
        on in this process, where all of them are chains of one machine, set ``n_chains`` to None
        or to their number.

    Raises
    ------
    TypeError
        If X is in memory, or ``rbm`` is another estimator.
    ValueError
        As ``rbm.fit``; the message names the partition. If X is cut along its features, if its
        partitions differ in their features, or if all are empty. If there is no client.
    RuntimeError
        If rows of X are lost with a worker and cannot be computed again, because they were sent to
        the cluster by ``scatter``; if the scheduler is lost; if workers die for want of memory.
        After any error, and after Ctrl-C, ``rbm`` holds the last finished epoch, which the message
        names: go on from it with ``resume=True``.

    See Also
    --------
    skrbm.BernoulliRBM.fit : Fit to rows in this process.
    transform : Features of rows in a Dask collection.

    Notes
    -----
    Categories of ``SoftmaxRBM`` are those of all partitions. With ``early_stopping`` each
    partition holds out its share of rows. ``history_`` is about all partitions.

    References
    ----------
    .. [1] Zinkevich, M., Weimer, M., Smola, A. & Li, L. (2010). Parallelized stochastic gradient
       descent. NIPS.
    .. [2] McMahan, B., Moore, E., Ramage, D., Hampson, S. & Aguera y Arcas, B. (2017).
       Communication-efficient learning of deep networks from decentralized data. AISTATS.
    .. [3] Chen, K. & Huo, Q. (2016). Scalable training of deep learning machines by incremental
       block training with intra-block parallel optimization and blockwise model-update filtering.
       ICASSP.

    Examples
    --------
    >>> import dask.array as da
    >>> from dask.distributed import Client
    >>> import skrbm.dask
    >>> from skrbm import BernoulliRBM
    >>> X = da.random.default_rng(0).integers(0, 2, (200, 6), chunks=(50, -1))
    >>> rbm = BernoulliRBM(n_components=4, n_iter=5, random_state=0)
    >>> with Client(processes=False, n_workers=1, dashboard_address=None) as client:
    ...     rbm = skrbm.dask.fit(rbm, X)
    >>> rbm.components_.shape
    (4, 6)
    """
    check_rbm(rbm)
    parts, weights = partitions(X), None
    if sample_weight is not None:
        weights = row_partitions(sample_weight, "sample_weight", len(parts))
    sync_every = check_integer("sync_every", sync_every, 1)
    warm_up = check_integer("warm_up", warm_up, 0)
    check_flag("resume", resume)
    seen = {"X": X, "y": X if y is None else y}
    if sample_weight is not None:
        seen["metadata"] = {"sample_weight": sample_weight}
    momentum = check_share("outer_momentum", outer_momentum)
    data = DistributedData(find_client(client), sync_every, warm_up, momentum)
    return _fit(rbm, data, parts, weights, seen, resume)


@fit_context(prefer_skip_nested_validation=True)
def _fit(rbm, data, parts, weights, seen, resume):
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
    before = vars(rbm)  # which a finished epoch replaces as a whole
    try:
        with waiting():
            data.read(learner, parts, weights, reset=not go_on)
            return learn(rbm, learner, data, seen, go_on=go_on, resume=resume)
    except (Exception, KeyboardInterrupt) as error:
        kept = _kept(rbm, vars(rbm) is not before)
        if isinstance(error, ClusterError):
            raise RuntimeError(f"{error} {kept}") from error
        error.add_note(kept)
        raise
    finally:
        data.release()


def _kept(rbm, has_epochs):
    """A sentence on what the estimator holds after an error."""
    if not has_epochs:
        return "No epoch was finished, and the estimator is as it was."
    if rbm.early_stopping:
        return (
            f"The estimator holds the best of {rbm.n_iter_} epochs; fit goes on from there with "
            "warm_start=True."
        )
    mend = "fit(..., resume=True) goes on from there."
    if rbm.warm_start:
        mend = "fit goes on from there, because of warm_start=True: give it the n_iter left."
    return f"The estimator holds epoch {rbm.n_iter_}; {mend}"
