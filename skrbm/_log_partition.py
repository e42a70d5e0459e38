"""LogPartition: the logarithm of a partition function, and how well it is known."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LogPartition:
    """The logarithm of a partition function, and how well it is known.

    Attributes
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
        between 1 and the number of chains (Kong, 1992). Infinite if the value is exact.
    """

    value: float
    stderr: float
    interval: tuple
    method: str
    effective_sample_size: float

    def __float__(self):
        """``value``: the result itself serves where a number is asked for."""
        return self.value
