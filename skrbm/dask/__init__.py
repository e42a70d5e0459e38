"""Restricted Boltzmann machines of data in Dask collections, which need not fit in memory.

The functions take an estimator of skrbm and a dask array, a dask DataFrame or a list of Delayed or
Future objects, each of which holds whole rows. Results of the reading functions are lazy dask
arrays. Dask is an optional dependency: ``pip install "skrbm[dask]"``.
"""

try:
    from ._fit import fit
    from ._lazy import free_energy, predict_ratings, recommend, score_samples, transform
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("dask", "distributed"):
        raise
    raise ImportError(
        f'skrbm.dask needs {error.name}, which is not installed: pip install "skrbm[dask]".'
    ) from error

__all__ = ["fit", "free_energy", "predict_ratings", "recommend", "score_samples", "transform"]
