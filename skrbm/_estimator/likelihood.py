"""How probable rows are to a fitted machine: energies, pseudo-likelihood, likelihood."""

from numbers import Real

import numpy as np
from sklearn.utils import check_random_state

from .._inference import partition
from .._inference.starts import Start
from .._input.checks import check_weights, in_dtype
from .._input.parameters import MOST, check_integer, check_option
from .._log_partition import LogPartition


class LikelihoodMethods:
    """Mixin of the methods that score rows under a machine; none changes the estimator."""

    def free_energy(self, X):
        """Free energy ``F(v) = -log sum_h exp(-E(v, h))``: ``p(v)`` is ``exp(-F(v)) / Z``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows.

        Returns
        -------
        free_energy : ndarray of shape (n_samples,)
            In nats.

        See Also
        --------
        log_likelihood : Minus the free energy, less ``log Z``.
        score_samples : A score that needs no ``Z``.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> F = rbm.free_energy([[1, 1, 0, 0], [1, 0, 1, 0]])
        >>> bool(F[0] < F[1])  # the first row is more probable
        True
        """
        rows, machine = self._fitted()._read(X)
        free_energy = rows.map(machine.free_energy, per_row=machine.hidden.n_units)
        return _rounded(free_energy, rows.dtype)

    def energy(self, v, h):
        """Energy ``E(v, h)`` of pairs of rows: ``p(v, h)`` is ``exp(-E(v, h)) / Z``.

        Parameters
        ----------
        v : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows.
        h : array-like of shape (n_samples, n_components)
            Hidden rows.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            In nats.

        Raises
        ------
        ValueError
            If v and h differ in their number of rows.

        See Also
        --------
        free_energy : The energy with the hidden units summed out.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> v, h = np.array([[1, 1, 0, 0], [0, 0, 1, 1]]), np.array([[1, 0], [0, 1]])
        >>> rbm = BernoulliRBM(n_components=2, random_state=0).fit(v)
        >>> E = rbm.energy(v, h)
        >>> W, b, c = rbm.components_, rbm.intercept_visible_, rbm.intercept_hidden_
        >>> np.allclose(E, -v @ b - h @ c - np.sum((v @ W.T) * h, axis=1))
        True
        """
        fitted = self._fitted()
        rows, machine = fitted._read(v)
        h, _ = fitted._read_hidden(h, "h")
        if h.shape[0] != rows.n_rows:
            raise ValueError(
                f"v has {rows.n_rows} rows but h has {h.shape[0]}: "
                "the energy takes pairs of rows. Give one row of h for each row of v."
            )
        v = rows.read(slice(0, rows.n_rows))
        h = in_dtype(h, rows.dtype, "h")
        with np.errstate(over="ignore", invalid="ignore"):  # beyond the dtype it is infinite
            return machine.energy(v, h)

    def score_samples(self, X):
        """Exact log pseudo-likelihood ``sum_i log p(v_i | v without i)`` of each row.

        The result is deterministic. scikit-learn's ``BernoulliRBM`` estimates the same sum from a
        single random unit of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows.

        Returns
        -------
        pseudo_likelihood : ndarray of shape (n_samples,)
            In nats, in the dtype of X.

        See Also
        --------
        score : The mean over rows.
        log_likelihood : The logarithm of the probability of the whole row.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> scores = rbm.score_samples([[1, 1, 0, 0], [1, 0, 1, 0]])
        >>> bool(scores[0] > scores[1])
        True
        """
        return self._scores(X)

    def _scores(self, X, counted=None):
        """Scores of all rows, or of those that count."""
        rows, machine = self._fitted()._read(X, counted=counted)
        scores = rows.map(machine.pseudo_likelihood, per_row=machine.hidden.n_units)
        return _rounded(scores, rows.dtype)

    def score(self, X, y=None, sample_weight=None):
        """Mean of ``score_samples(X)``. The better the model fits the rows, the larger the mean.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the mean. A row of weight 0 is not read. None: equal weights.

        Returns
        -------
        score : float
            Mean exact log pseudo-likelihood of a row, in nats.

        See Also
        --------
        score_samples : The score of each row.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> noise = np.random.default_rng(0).integers(0, 2, X.shape)
        >>> rbm.score(X) > rbm.score(noise)
        True
        """
        weights = counted = None
        if sample_weight is not None:
            weights, counted = check_weights(sample_weight, X)
            weights = weights / weights.max()  # products with scores stay in range
        return float(np.average(self._scores(X, counted).astype(np.float64), weights=weights))

    def log_partition(
        self, method="auto", *, n_chains=100, n_betas=10000, init=None, random_state=None
    ):
        """Logarithm of the partition function ``Z``, by which ``p(v)`` is normalised.

        Parameters
        ----------
        method : {"auto", "exact", "ais", "reverse_ais"}, default="auto"
            How the value is found.

            - "exact": a sum over the states of the hidden units or, if they are binary and
              fewer, of the visible units. These may be at most 25 units, whose 2^25 states take
              half a minute with 784 binary features. Categories take several times as long as
              binary features.
            - "ais": annealed importance sampling [1]_ [2]_, from the base rates of the training
              data to the model. The estimate tends to be too small, which makes a model seem
              better than it is.
            - "reverse_ais": annealing from the model to its base rates [3]_. The estimate tends
              to be too large, provided that annealing starts at samples of the model. It starts
              at ``sample(n_chains, init=init, method="tempering")``. Estimates of "ais" and
              "reverse_ais" that agree can be trusted.
            - "auto": "exact" for at most 20 units and 2^30 terms, else "ais". The terms are the
              states of these units times the number of units of the other layer: features or,
              of categories, the categories of all features.
        n_chains : int, default=100
            Number of rows to anneal; at least 2.
        n_betas : int, default=10000
            Number of inverse temperatures from 0 to 1; from 2 to ten million. From 2000 on, other
            chains are annealed first, through a tenth as many temperatures, and show where
            log-weights come to differ. Half of the temperatures are placed there. All others are
            equidistant.
        init : {array-like, sparse matrix} of shape (n_rows, n_features), default=None
            For "reverse_ais": complete rows, such as training data. The chains that draw from the
            model start at ``n_chains`` of these rows, taken at random. So the chains are in the
            modes of the data, which chains may not find by themselves. None: the chains start at
            the base rates.
        random_state : int, RandomState instance or None, default=None
            An int gives the same estimate at every call; None gives another estimate at every
            call.

        Returns
        -------
        result : LogPartition
            The estimate, with ``value`` (nats), ``stderr``, ``interval`` (95 %), ``method`` and
            ``effective_sample_size``. Sums are in float64. Chains have the dtype of ``init`` or,
            without ``init``, of ``components_``.

        Raises
        ------
        ValueError
            If more than 25 units would have to be enumerated; if the machine is conditional; if a
            parameter or the result is not finite; if ``init`` is incomplete, or given with
            another method.

        See Also
        --------
        log_likelihood : Log-probabilities of rows, which take the result.
        sample : Rows of the model.

        References
        ----------
        .. [1] Neal, R. M. (2001). Annealed importance sampling. Statistics and Computing 11,
           125-139.
        .. [2] Salakhutdinov, R. & Murray, I. (2008). On the quantitative analysis of deep belief
           networks. ICML.
        .. [3] Burda, Y., Grosse, R. & Salakhutdinov, R. (2015). Accurate and conservative
           estimates of MRF log-likelihood using reverse annealing. AISTATS.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> exact = rbm.log_partition()
        >>> exact.method, round(exact.value, 3)
        ('exact', 9.086)
        >>> estimate = rbm.log_partition("ais", n_betas=1000, random_state=0)
        >>> low, high = estimate.interval
        >>> low < exact.value < high
        True
        """
        fitted = self._fitted()
        check_option("method", method, ("auto", "exact", "ais", "reverse_ais"))
        n_chains = check_integer("n_chains", n_chains, 2, MOST)
        n_betas = check_integer("n_betas", n_betas, 2, 10**7)
        if init is not None and method != "reverse_ais":
            raise ValueError(f"init is for method='reverse_ais'. Got method={method!r} with init.")
        fitted._check_partition()
        random_state = check_random_state(random_state)
        machine, start = fitted._machine(fitted._dtype()), Start()
        n_units = partition.n_enumerated(machine)
        if method == "auto":
            method = "exact" if partition.is_quick(machine) else "ais"
        if method == "exact" and n_units > partition.MOST_UNITS:
            raise ValueError(
                f"method='exact' would sum over the 2**{n_units} states of {n_units} units; "
                f"it is for at most {partition.MOST_UNITS} units. Use method='ais'."
            )
        if init is not None:
            rows, machine = fitted._read(init, allow_unknown=True)
            # Rows of init may be in some order, of which the first would be a poor sample.
            which = random_state.permutation(rows.n_rows)[np.arange(n_chains) % rows.n_rows]
            start = Start.at(rows, which)
        if start.known is not None:
            raise ValueError(
                "init of log_partition must hold complete rows, but some entries are unknown. "
                "Complete them first, with impute or sample(init=...)."
            )
        with np.errstate(over="ignore", invalid="ignore"):
            if method == "exact":
                result = partition.exact(fitted._machine(np.float64))
            else:
                anneal = partition.ais if method == "ais" else partition.reverse_ais
                result = anneal(
                    machine, fitted._base_rates(), n_chains, n_betas, random_state, start
                )
        if not np.isfinite(result.value):
            raise ValueError(
                f"log Z is {result.value}: components_ or intercepts are too large to sum over."
            )
        return result

    def log_likelihood(self, X, log_partition=None):
        """Logarithm of the probability ``p(v)`` of each row, or of its density if real-valued.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Complete visible rows. Values of binary units are 0 or 1.
        log_partition : LogPartition, float or None, default=None
            ``log Z``: what the method ``log_partition`` returns, or a number. None: the method is
            called with its defaults, at every call.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
            In nats, in the dtype of X.

        Raises
        ------
        ValueError
            If an entry is missing or not a state of its unit; if the machine is conditional; if
            log Z is not finite.
        TypeError
            If ``log_partition`` is neither a number nor a result of that method.

        See Also
        --------
        log_partition : The logarithm of Z, exact or estimated.
        score_samples : A score that needs no ``Z``.
        free_energy : Differences of log-likelihoods, up to their sign.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> states = np.array(list(np.ndindex(2, 2, 2, 2)))
        >>> p = np.exp(rbm.log_likelihood(states, rbm.log_partition("exact")))
        >>> round(float(p.sum()), 6)
        1.0
        """
        fitted = self._fitted()
        rows = fitted._rows(X, allow_unknown=True)
        machine = fitted._machine_for(rows, np.float64)
        fitted._check_partition()
        if rows.n_unknown:
            raise ValueError(
                f"{rows.n_unknown} entries of X are missing (NaN; or not stored, in a sparse X of "
                "categories), but the likelihood is one of complete rows. Complete them, for "
                "example with impute."
            )
        fitted._check_states(rows)
        if log_partition is None:
            log_partition = fitted.log_partition()
        if isinstance(log_partition, bool) or not isinstance(log_partition, Real | LogPartition):
            raise TypeError(
                "log_partition must be what the method log_partition returns, a number or None. "
                f"Got {log_partition!r}."
            )
        log_partition = float(log_partition)
        if not np.isfinite(log_partition):
            raise ValueError(f"log_partition must be finite. Got {log_partition!r}.")
        free_energy = rows.map(machine.free_energy, np.float64, per_row=machine.hidden.n_units)
        return _rounded(-free_energy - log_partition, rows.dtype)


def _rounded(nats, dtype):
    """Numbers of nats in a dtype; infinite if they are beyond the dtype."""
    with np.errstate(over="ignore"):
        return nats.astype(dtype, copy=False)
