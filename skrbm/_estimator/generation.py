"""What a fitted machine is as a distribution: draws from it, completed rows, likelihoods."""

from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.validation import check_is_fitted

from .._inference import chains, partition
from .._input.checks import check_visible
from .._input.parameters import check_option
from .._log_partition import LogPartition
from .._machine.tempered import TemperedRBM, ladder
from .features import FittedMethods, draw_seed

# Units, of all chains, that are held at a time where rows are completed.
_IMPUTE_UNITS = 2**22

# What ``sample`` does unless told otherwise.
_N_STEPS, _N_TEMPERATURES = 1000, 10


class GenerativeMethods(FittedMethods):
    """Mixin of the methods that draw from a machine, or need its partition function."""

    # --- what a model adds ---

    def _read_unknown(self, X):
        """The machine, validated rows, and how many of their entries are unknown."""
        check_is_fitted(self)
        X = check_visible(self, X, whole=True, allow_nan=True)
        return self._rbm(X.dtype), X, int(np.isnan(X.data if issparse(X) else X).sum())

    def _cells(self, rows, rbm):
        """Rows with anything in the place of what is unknown, and which cells are known."""
        rows = rows.toarray() if issparse(rows) else rows
        return rows, ~np.isnan(rows)

    def _in_float64(self, rows):
        """Visible rows for a machine of float64."""
        return rows.astype(np.float64, copy=False)

    def _check_states(self, rows):
        """Refuse rows that have no probability."""

    def _check_partition(self):
        """Refuse a machine whose partition function is not one number."""

    # --- draws ---

    def gibbs(self, V, n_steps=1, random_state=None):
        """Gibbs steps from each row of V: hidden given visible, then visible given hidden.

        Parameters
        ----------
        V : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows where the chains start.
        n_steps : int, default=1
            Number of steps.
        random_state : int, RandomState instance or None, default=None
            An int gives the same draws at every call, None other draws at every call.

        Returns
        -------
        V_new : ndarray of shape (n_samples, n_features)
            Visible rows where the chains stop.
        """
        rows, rbm = self._read(V)
        check_scalar(n_steps, "n_steps", Integral, min_val=1)
        rows = chains.gibbs(rbm, rows, n_steps, draw_seed(random_state))
        return self._as_given(rows, rbm, V)

    def sample(
        self,
        n_samples=1,
        *,
        n_gibbs_steps=_N_STEPS,
        init=None,
        method="gibbs",
        n_temperatures=_N_TEMPERATURES,
        random_state=None,
    ):
        """Draw rows from the model: the ends of independent chains.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows, each from a chain of its own.
        n_gibbs_steps : int, default=1000
            Length of a chain. A model of well separated modes needs more, or tempering.
        init : {array-like, sparse matrix} of shape (n_rows, n_features), default=None
            Where the chains start: chain i at row ``i % n_rows``. If any entry is unknown (NaN;
            not stored, in a sparse matrix of categories), the known entries of all rows stay as
            they are, and the unknown ones are drawn given them. None: each chain starts at a
            draw from the base rates of the training data (of the first chunk, after
            ``partial_fit``).
        method : {"gibbs", "tempering"}, default="gibbs"
            How the chains move.

            - "gibbs": by Gibbs steps of the model.
            - "tempering": parallel tempering [1]_. Each row comes from ``n_temperatures`` chains
              from the model's temperature to that of the base rates, where all modes are one; all
              make Gibbs steps, and neighbours exchange their temperatures. It takes about
              ``n_temperatures`` times the time and the memory of "gibbs".
        n_temperatures : int, default=10
            Number of inverse temperatures, equidistant from 1 to 0, with ``method="tempering"``.
            So many that neighbours overlap: large models need more.
        random_state : int, RandomState instance or None, default=None
            An int gives the same draws at every call, None other draws at every call.

        Returns
        -------
        V : ndarray of shape (n_samples, n_features)
            Visible rows, in the dtype of ``init`` or else of ``components_``.

        Raises
        ------
        ValueError
            If chains need the base rates and the machine has another number of visible units
            than these; with tempering, if a parameter is not finite.

        References
        ----------
        .. [1] Swendsen, R. H. & Wang, J.-S. (1986). Replica Monte Carlo simulation of
           spin-glasses. Physical Review Letters 57, 2607-2609.
        """
        check_is_fitted(self)
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        check_scalar(n_gibbs_steps, "n_gibbs_steps", Integral, min_val=1)
        check_scalar(n_temperatures, "n_temperatures", Integral, min_val=2)
        check_option("method", method, ("gibbs", "tempering"))
        n_temperatures = n_temperatures if method == "tempering" else None
        random_state = check_random_state(random_state)
        start = self._start(init, lambda n_rows: np.arange(n_samples) % n_rows)
        rows = self._draw(*start, n_samples, n_gibbs_steps, n_temperatures, random_state)
        return self._as_given(rows, start[0], init)

    def _start(self, init, choose):
        """The machine, rows where chains start, and which cells of these are known.

        No rows where ``init`` is None, no cells where nothing of it is unknown. ``choose``
        returns the numbers of the rows to take, given how many there are.
        """
        if init is None:
            return self._rbm(self._dtype), None, None
        rbm, rows, n_unknown = self._read_unknown(init)
        rows = rows[choose(rows.shape[0])]
        return (rbm, *self._cells(rows, rbm)) if n_unknown else (rbm, rows, None)

    def _draw(self, rbm, rows, known, n_samples, n_gibbs_steps, n_temperatures, random_state):
        """Complete rows at the ends of chains, tempered ones if there are temperatures."""
        if rows is not None and n_temperatures:
            copies = np.tile(np.arange(n_samples), n_temperatures)
            rows, known = rows[copies], known if known is None else known[copies]
        if rows is not None and known is None:
            v = rows.toarray() if issparse(rows) else rows  # all units are free to move
        else:
            n_chains = n_samples * (n_temperatures or 1)
            v = self._base_rows(rbm, n_chains, draw_seed(random_state))
            if rows is not None:
                np.copyto(rbm.visible.cells(v), rbm.visible.cells(rows), where=known)
        seed = draw_seed(random_state)
        if n_temperatures is None:
            return chains.gibbs(rbm, v, n_gibbs_steps, seed, known)
        betas = ladder(n_temperatures)
        return chains.tempering(self._tempered(rbm), v, betas, n_gibbs_steps, seed, known)

    def _base(self, rbm):
        """The bias of the visible layer before training, in the dtype of the machine."""
        bias = self._base_bias.astype(rbm.weights.dtype, copy=False)
        if len(bias) != rbm.visible.n_units:
            raise ValueError(
                f"the machine has {rbm.visible.n_units} visible units, but the base rates that "
                f"chains start from were learned of {len(bias)}: fit it to data of its own."
            )
        return bias

    def _base_rows(self, rbm, n_rows, seed):
        """Complete rows drawn at ``beta = 0``, where units are independent."""
        bias = self._base(rbm)
        layer, _ = rbm.visible.rebased(bias)
        h, weights = (np.zeros((n, 1), bias.dtype) for n in (n_rows, layer.n_units))
        return layer.sample(h, weights, (seed, 0, chains.START))

    def _tempered(self, rbm):
        """The machines between base rates and model."""
        _check_finite(rbm)
        return TemperedRBM(rbm, self._base(rbm))

    def impute(self, X, *, n_gibbs_steps=100, n_chains=10, random_state=None):
        """Complete rows of which a part is known, with the conditional mean of the rest.

        For each row with unknown entries, chains draw these and the hidden units, the known
        entries being clamped. Averaged over chains and steps, but for the first half of the
        steps, are the expectations of the visible units given the hidden ones (Rao-Blackwell),
        which vary less than the draws themselves.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with NaN where an entry is unknown. In a sparse matrix of categories what is
            not stored is unknown; elsewhere it is 0.
        n_gibbs_steps : int, default=100
            Length of a chain.
        n_chains : int, default=10
            Number of chains per row, each from a draw of its own from the base rates.
        random_state : int, RandomState instance or None, default=None
            An int gives the same result at every call, None another at every call.

        Returns
        -------
        X_imputed : ndarray of shape (n_samples, n_features)
            The known entries as they are, and in the place of the others their conditional means,
            for binary units probabilities; of categories the most probable one. Draws instead
            are what ``sample(n_samples, init=X)`` gives.

        Notes
        -----
        Of categories all missing features are drawn together, as parts of one complete row.
        ``predict_ratings`` asks for one feature at a time, as if the others did not exist.
        """
        rbm, rows, _ = self._read_unknown(X)
        check_scalar(n_gibbs_steps, "n_gibbs_steps", Integral, min_val=1)
        check_scalar(n_chains, "n_chains", Integral, min_val=1)
        random_state = check_random_state(random_state)
        rows, known = self._cells(rows.copy(), rbm)
        cells = rbm.visible.cells(rows)
        incomplete = np.flatnonzero(~known.all(axis=1))
        block_size = max(1, _IMPUTE_UNITS // (n_chains * sum(rbm.weights.shape)))
        for first in range(0, len(incomplete), block_size):
            chosen = incomplete[first : first + block_size]
            copies = np.repeat(chosen, n_chains)
            v = self._base_rows(rbm, len(copies), draw_seed(random_state))
            np.copyto(rbm.visible.cells(v), cells[copies], where=known[copies])
            steps = chains.gibbs_steps(
                rbm, v, n_gibbs_steps, draw_seed(random_state), known[copies]
            )
            total = np.zeros((len(chosen), rbm.visible.n_units))
            for step, h in enumerate(steps):
                if step >= n_gibbs_steps // 2:
                    means = rbm.visible.unit_means(h, rbm.weights)
                    total += means.reshape(len(chosen), n_chains, -1).sum(axis=1)
            n_means = n_chains * (n_gibbs_steps - n_gibbs_steps // 2)
            best = rbm.visible.best_cells(total / n_means)
            cells[chosen] = np.where(known[chosen], cells[chosen], best)
        return self._as_given(rows, rbm, None)

    # --- likelihood ---

    def log_partition(
        self, method="auto", *, n_chains=100, n_betas=10000, init=None, random_state=None
    ):
        """Logarithm of the partition function ``Z``, by which ``p(v)`` is normalised.

        Parameters
        ----------
        method : {"auto", "exact", "ais", "reverse_ais"}, default="auto"
            - "exact": enumeration of the hidden units, or of the visible ones if they are binary
              and fewer; at most 25 units, whose 2^25 states take half a minute if there are 784
              binary features. Categories take several times as long as binary features.
            - "ais": annealed importance sampling [1]_ [2]_, from the base rates of the training
              data to the model. It tends to be too small: a model seems better than it is.
            - "reverse_ais": the same from the model to its base rates [3]_. It tends to be too
              large, if only its start is from the model: draws of
              ``sample(n_chains, init=init, method="tempering")``. Where both directions agree,
              both are to be trusted.
            - "auto": "exact" for at most 20 units, else "ais".
        n_chains : int, default=100
            Number of rows to anneal; at least 2.
        n_betas : int, default=10000
            Number of inverse temperatures, equidistant from 0 to 1; at least 2.
        init : {array-like, sparse matrix} of shape (n_rows, n_features), default=None
            For "reverse_ais": complete rows of which ``n_chains``, taken at random, are where the
            chains start that draw from the model, such as training data, whose modes chains may
            not find by themselves. None: the base rates.
        random_state : int, RandomState instance or None, default=None
            An int gives the same estimate at every call, None another at every call.

        Returns
        -------
        result : LogPartition
            With ``value`` (nats), ``stderr``, ``interval`` (95 %), ``method`` and
            ``effective_sample_size``. Sums are in float64; chains and the inputs of their units
            have the dtype of ``init`` or else of ``components_``.

        Raises
        ------
        ValueError
            If more than 25 units were to be enumerated, the machine is conditional, a parameter
            or the result is not finite, ``init`` is incomplete or not for the method.

        References
        ----------
        .. [1] Neal, R. M. (2001). Annealed importance sampling. Statistics and Computing 11,
           125-139.
        .. [2] Salakhutdinov, R. & Murray, I. (2008). On the quantitative analysis of deep belief
           networks. ICML.
        .. [3] Burda, Y., Grosse, R. & Salakhutdinov, R. (2015). Accurate and conservative
           estimates of MRF log-likelihood using reverse annealing. AISTATS.
        """
        check_is_fitted(self)
        check_option("method", method, ("auto", "exact", "ais", "reverse_ais"))
        check_scalar(n_chains, "n_chains", Integral, min_val=2)
        check_scalar(n_betas, "n_betas", Integral, min_val=2)
        if init is not None and method != "reverse_ais":
            raise ValueError(f"init is for method='reverse_ais'. Got method={method!r} with init.")
        self._check_partition()
        random_state = check_random_state(random_state)
        with np.errstate(over="ignore", invalid="ignore"):
            result = self._log_partition(method, n_chains, n_betas, init, random_state)
        if not np.isfinite(result.value):
            raise ValueError(
                f"log Z is {result.value}: components_ or intercepts are too large to sum over."
            )
        return result

    def _log_partition(self, method, n_chains, n_betas, init, random_state):
        """The same for valid arguments."""
        n_units = partition.n_enumerated(self._rbm(self._dtype))
        if method == "exact" or (method == "auto" and n_units <= partition.FEW_UNITS):
            if n_units > partition.MOST_UNITS:
                raise ValueError(
                    f"method='exact' would sum over the 2**{n_units} states of {n_units} units; "
                    f"it is for at most {partition.MOST_UNITS} units. Use method='ais'."
                )
            rbm = self._rbm(np.float64)
            _check_finite(rbm)
            return partition.exact(rbm)
        # Rows of init may be in some order, of which the first would be a poor sample.
        rbm, rows, known = self._start(
            init, lambda n_rows: random_state.permutation(n_rows)[np.arange(n_chains) % n_rows]
        )
        if known is not None:
            raise ValueError(
                "init of log_partition must hold complete rows, but some entries are unknown. "
                "Complete them first, with impute or sample(init=...)."
            )
        tempered = self._tempered(rbm)
        if method == "reverse_ais":
            v = self._draw(rbm, rows, known, n_chains, _N_STEPS, _N_TEMPERATURES, random_state)
            seed = draw_seed(random_state)
        else:  # seeds in the other order, so that both directions start with rows of their own
            seed = draw_seed(random_state)
            v = self._base_rows(rbm, n_chains, draw_seed(random_state))
        return partition.annealed(rbm, tempered, v, n_betas, seed, method == "reverse_ais")

    def log_likelihood(self, X, log_partition=None):
        """Logarithm of the probability ``p(v)`` of each row; of its density, if real-valued.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Complete visible rows; for binary units 0 and 1 alone.
        log_partition : LogPartition, float or None, default=None
            ``log Z``: what the method ``log_partition`` returns, or a number. None: it is
            computed, at every call, with the defaults of that method.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
            In nats, in the dtype of X.

        Raises
        ------
        ValueError
            If an entry is missing or not a state of its unit, the machine is conditional, or
            log Z is not finite.
        """
        rbm, rows, n_unknown = self._read_unknown(X)
        self._check_partition()
        if n_unknown:
            raise ValueError(
                f"{n_unknown} entries of X are missing (NaN; or not stored, in a sparse X of "
                "categories), but the likelihood is one of complete rows. Complete them, for "
                "example with impute."
            )
        self._check_states(rows)
        if log_partition is None:
            log_partition = self.log_partition()
        if isinstance(log_partition, LogPartition):
            log_partition = log_partition.value
        check_scalar(log_partition, "log_partition", Real)
        if not np.isfinite(log_partition):
            raise ValueError(f"log_partition must be finite. Got {log_partition!r}.")
        free_energy = self._rbm(np.float64).free_energy(self._in_float64(rows))
        values = -free_energy - log_partition
        return values.astype(rbm.weights.dtype, copy=False)


def _check_finite(rbm):
    """Refuse parameters over whose states sums make no sense."""
    if not all(np.isfinite(parameter).all() for parameter in rbm.parameters):
        raise ValueError(
            "annealing, tempering and enumeration need finite parameters, but some of "
            "components_, intercept_visible_ and intercept_hidden_ are infinite or NaN."
        )
