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
        A 95 % confidence interval, by the variance between the chains. It is too narrow where
        few chains have most of the weight, an effective sample size below a third of their number
        (raise ``n_betas``), and does not know of modes that no chain has found.
    method : {"exact", "ais", "reverse_ais"}
        How it was computed.
    effective_sample_size : float
        So many chains of equal weight would be as good: ``(sum w)^2 / sum w^2``, between 1 and the
        number of chains (Kong, 1992); infinite if the value is exact.
    """

    value: float
    stderr: float
    interval: tuple
    method: str
    effective_sample_size: float
