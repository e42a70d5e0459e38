"""LogPartition: the logarithm of a partition function, and how well it is known."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LogPartition:
    """The logarithm of a partition function, and how well it is known.

    ``log_partition`` of an estimator returns it, and ``log_likelihood`` takes it. ``float`` gives
    its value.

    Parameters
    ----------
    value : float
        ``log Z``, in nats.
    stderr : float
        Standard error of the value, in nats; 0 if it is exact.
    interval : tuple of two float
        A 95 % confidence interval from the variance between the chains. The interval is too narrow
        if few chains have most of the weight: if the effective sample size is below a third of the
        number of chains, raise ``n_betas``. The interval cannot know of modes that no chain found.
    method : {"exact", "ais", "reverse_ais"}
        How the value was computed.
    effective_sample_size : float
        The number of chains of equal weight that would be as good: ``(sum w)^2 / sum w^2``,
        between 1 and the number of chains [1]_. Infinite if the value is exact.

    See Also
    --------
    BernoulliRBM.log_partition : The method that returns it.

    References
    ----------
    .. [1] Kong, A. (1992). A note on importance sampling using standardized weights. Technical
       report 348, Department of Statistics, University of Chicago.

    Examples
    --------
    >>> from skrbm import LogPartition
    >>> result = LogPartition(9.09, 0.01, (9.07, 9.11), "ais", 97.0)
    >>> float(result)
    9.09
    >>> result.interval
    (9.07, 9.11)
    """

    value: float
    stderr: float
    interval: tuple
    method: str
    effective_sample_size: float

    def __float__(self):
        """``value``: the result itself serves where a number is asked for."""
        return self.value
