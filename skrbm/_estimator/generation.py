"""What a fitted machine draws: rows by chains, and completions of rows known in part."""

import numpy as np
from sklearn.utils import check_random_state

from .._inference.chains import gibbs, means
from .._inference.imputation import impute
from .._inference.sampler import N_GIBBS_STEPS, N_TEMPERATURES, Sampler
from .._inference.starts import Start
from .._input.parameters import MOST, check_integer, check_option
from .._machine.keys import draw_seed


class GenerationMethods:
    """Mixin of the methods that draw rows from a machine; they read the estimator only."""

    def gibbs(self, v, n_steps=1, random_state=None):
        """Make Gibbs steps from each row of v.

        A step draws the hidden units given the visible units, then the visible units given the
        hidden units.

        Parameters
        ----------
        v : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows where the chains start.
        n_steps : int, default=1
            Number of steps.
        random_state : int, RandomState instance or None, default=None
            An int gives the same random numbers at every call; None gives others at every call.

        Returns
        -------
        v_new : ndarray of shape (n_samples, n_features)
            Visible rows where the chains stop.

        See Also
        --------
        sample : Rows at the ends of long chains, plain or tempered.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> rbm.gibbs(X[:3], random_state=0)
        array([[1., 1., 0., 0.],
               [0., 0., 1., 1.],
               [1., 1., 0., 0.]])
        """
        rows, machine = self._fitted()._read(v)
        n_steps = check_integer("n_steps", n_steps, 1)
        v = rows.read(np.arange(rows.n_rows))
        for _ in gibbs(machine, v, n_steps, draw_seed(check_random_state(random_state))):
            pass
        return rows.as_given(v)

    def sample(
        self,
        n_samples=1,
        *,
        n_gibbs_steps=N_GIBBS_STEPS,
        init=None,
        method="gibbs",
        n_temperatures=N_TEMPERATURES,
        output="sample",
        random_state=None,
    ):
        """Draw rows from the model, or their means, at the ends of independent chains.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows, and of chains.
        n_gibbs_steps : int, default=1000
            Length of a chain. A model with well separated modes needs longer chains, or
            tempering.
        init : {array-like, sparse matrix} of shape (n_rows, n_features), default=None
            Where the chains start: chain i starts at row ``i % n_rows``. An entry is unknown if it
            is NaN or, in a sparse matrix of categories, not stored. If any entry is unknown, the
            known entries of all rows stay as they are, and the unknown entries are drawn given
            the known entries. None: each chain starts at a row drawn from the base rates of the
            training data (after ``partial_fit``: of the first chunk).
        method : {"gibbs", "tempering"}, default="gibbs"
            How the chains move.

            - "gibbs": by Gibbs steps of the model.
            - "tempering": parallel tempering [1]_. Each row comes from ``n_temperatures`` chains.
              The first chain has the temperature of the model; the last has the temperature of
              the base rates, where all modes are one. All chains make Gibbs steps, and chains at
              neighbouring temperatures swap their states. Tempering takes about
              ``n_temperatures`` times the time and the memory of "gibbs".
        n_temperatures : int or "auto", default="auto"
            Number of temperatures with ``method="tempering"``. Swaps succeed only where the
            distributions at neighbouring temperatures overlap, so that large models need more
            temperatures than small ones.

            - "auto": so many, and so placed, that about half of the swaps between any two
              neighbours succeed, which moves states fastest for the time it takes [2]_. Ten
              chains at all temperatures make 160 steps before the others start, to find out. A
              warning tells if more than 100 temperatures would be needed; 100 are taken then.
            - an int, at least 2: inverse temperatures that are equidistant from 1 to 0.
        output : {"sample", "mean"}, default="sample"
            What is returned of the last step. The chains are the same.

            - "sample": the visible units, which are drawn given the hidden units.
            - "mean": their expectations given the hidden units of that step: a binary unit gives
              the probability of a 1, a real-valued unit its mean without noise, and a feature of
              categories the expectation over the values of its categories, as in
              ``inverse_transform``. That suits ratings. Categories that are mere names have no
              expectation: take "sample". Known entries of ``init`` are as given.
        random_state : int, RandomState instance or None, default=None
            An int gives the same random numbers at every call; None gives others at every call.

        Returns
        -------
        V : ndarray of shape (n_samples, n_features)
            Visible rows, in the dtype of ``init`` or else of ``components_``. Samples of
            categories are in the container of ``init``: a sparse array gives a CSR array, and a
            sparse matrix a CSR matrix.

        Raises
        ------
        ValueError
            If chains need the base rates, and the base rates have another number of visible units
            than the machine; with tempering, if a parameter is not finite.

        See Also
        --------
        gibbs : A few steps from given rows.
        impute : Estimates of unknown entries.
        skrbm.metrics.adversarial_accuracy : How well neighbours tell data and samples apart.
        skrbm.metrics.pair_correlations : How well samples keep the covariances of data.

        References
        ----------
        .. [1] Swendsen, R. H. & Wang, J.-S. (1986). Replica Monte Carlo simulation of
           spin-glasses. Physical Review Letters 57, 2607-2609.
        .. [2] Syed, S., Bouchard-Cote, A., Deligiannidis, G. & Doucet, A. (2022). Non-reversible
           parallel tempering: a scalable highly parallel MCMC scheme. Journal of the Royal
           Statistical Society B 84, 321-350.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> rbm.sample(3, random_state=1)
        array([[1., 1., 0., 0.],
               [0., 0., 1., 1.],
               [0., 0., 1., 1.]])

        The same chains, and the expectations of the units at their last step:

        >>> rbm.sample(3, output="mean", random_state=1).round(2)
        array([[0.98, 0.97, 0.03, 0.02],
               [0.01, 0.01, 0.99, 0.99],
               [0.01, 0.01, 0.99, 0.99]])

        Two completions of a row of which one entry is known, drawn by tempered chains:

        >>> init = [[1, np.nan, np.nan, np.nan]]
        >>> rbm.sample(2, init=init, method="tempering", random_state=0)
        array([[1., 1., 0., 0.],
               [1., 1., 0., 0.]])
        """
        fitted = self._fitted()
        n_samples = check_integer("n_samples", n_samples, 1, MOST)
        n_gibbs_steps = check_integer("n_gibbs_steps", n_gibbs_steps, 1)
        n_temperatures = _checked(n_temperatures)
        check_option("method", method, ("gibbs", "tempering"))
        check_option("output", output, ("sample", "mean"))
        random_state = check_random_state(random_state)
        n_temperatures = n_temperatures if method == "tempering" else 1
        if init is None:
            machine, start = fitted._machine(fitted._dtype()), Start()
        else:
            rows, machine = fitted._read(init, allow_unknown=True)
            start = Start.at(rows, np.arange(n_samples) % rows.n_rows)
        sampler = Sampler(machine, fitted._base_rates(), n_gibbs_steps, n_temperatures)
        v, h = sampler.draw(start, n_samples, random_state)
        if output == "mean":
            return means(machine, h, start)
        return machine.visible.values(v) if init is None else rows.as_given(v)

    def impute(self, X, *, n_gibbs_steps=100, n_chains=10, random_state=None):
        """Complete rows of which a part is known by conditional means.

        For each row with unknown entries, chains draw the unknown entries and the hidden units,
        while the known entries are clamped. The result is an average over chains and over the
        second half of the steps. The average is over the means of the visible units given the
        hidden units (Rao-Blackwell), which vary less than samples of the visible units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with NaN where an entry is unknown. In a sparse matrix of categories an entry
            that is not stored is unknown; in another sparse matrix that entry is 0.
        n_gibbs_steps : int, default=100
            Length of a chain.
        n_chains : int, default=10
            Number of chains per row. Each chain starts at a row of its own that is drawn from the
            base rates.
        random_state : int, RandomState instance or None, default=None
            An int gives the same result at every call; None gives another result at every call.

        Returns
        -------
        X_imputed : ndarray of shape (n_samples, n_features)
            Known entries are as given, or as ``BernoulliRBM`` reads them if they lie outside
            [0, 1]. An unknown entry is its conditional mean, which for binary
            units is a probability, or the most probable category.

        See Also
        --------
        sample : Draws unknown entries instead, all those of a row together, with ``init=X``.

        Notes
        -----
        All missing categories of a row are drawn together, as parts of one complete row.
        ``predict_ratings`` asks for one feature at a time, as if the other missing features did
        not exist.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> rbm.impute([[1, np.nan, 0, np.nan]], random_state=0).round(2)
        array([[1.  , 0.97, 0.  , 0.02]])
        """
        fitted = self._fitted()
        rows, machine = fitted._read(X, allow_unknown=True)
        n_gibbs_steps = check_integer("n_gibbs_steps", n_gibbs_steps, 1)
        n_chains = check_integer("n_chains", n_chains, 1, MOST)
        random_state = check_random_state(random_state)
        return impute(machine, fitted._base_rates(), rows, n_gibbs_steps, n_chains, random_state)


def _checked(n_temperatures):
    """A number of temperatures, or "auto"."""
    if not isinstance(n_temperatures, str):
        return check_integer("n_temperatures", n_temperatures, 2, MOST)
    if n_temperatures != "auto":
        raise ValueError(f"n_temperatures must be 'auto' or an integer. Got {n_temperatures!r}.")
    return n_temperatures
