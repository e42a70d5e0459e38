"""Where names of other libraries are looked up, and what is done without a network."""

from concurrent.futures import ThreadPoolExecutor

import requests
from sphinx.util import logging

logger = logging.getLogger(__name__)

#: Root of the names of each library, and the site with their inventory.
SITES = {
    "python": "https://docs.python.org/3/",
    "numpy": "https://numpy.org/doc/stable/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "sklearn": "https://scikit-learn.org/stable/",
    "matplotlib": "https://matplotlib.org/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "dask": "https://docs.dask.org/en/stable/",
    "distributed": "https://distributed.dask.org/en/stable/",
}


def _reachable(site):
    try:
        return requests.head(f"{site}objects.inv", timeout=5, allow_redirects=True).ok
    except requests.RequestException:
        return False


def reachable():
    """The sites that answer, in the form of ``intersphinx_mapping``. The others are named."""
    with ThreadPoolExecutor(len(SITES)) as pool:
        answers = dict(zip(SITES, pool.map(_reachable, SITES.values()), strict=True))
    absent = [name for name, answered in answers.items() if not answered]
    if absent:
        logger.info("No inventory, so names without links: %s.", ", ".join(absent))
    return {name: (SITES[name], None) for name, answered in answers.items() if answered}
