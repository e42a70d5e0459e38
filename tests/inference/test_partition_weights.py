"""Weights of annealing: without bias, and wrong ones found out."""

import numpy as np
import pytest

from skrbm import BernoulliRBM
from skrbm._inference import partition
from skrbm._machine.keys import Purpose
from skrbm._machine.tempered import TemperedRBM

from ..helpers.partition_machines import (
    MACHINES,
    directions,
    gaussian_machine,
    learned_machine,
    machines,
)

N_CHAINS = 20_000


# --- weights of annealing -----------------------------------------------------------------------


def deviation(machine, log_weights, reverse):
    """Of the mean weight from Z over that of the base rates, or its inverse; and its error."""
    log_ratio = machine.log_z - partition._log_base_rates(machine.rbm, machine.tempered)
    weights = np.exp(log_weights + log_ratio if reverse else log_weights - log_ratio)
    return abs(weights.mean() - 1), weights.std() / np.sqrt(len(weights))


@machines
@directions
@pytest.mark.parametrize("n_betas", [3, 6])
def test_weights_are_unbiased(make, reverse, n_betas):
    machine = make()
    log_weights = machine.log_weights(N_CHAINS, n_betas, reverse)
    off, error = deviation(machine, log_weights, reverse)
    assert off < 4 * error < 0.2


NAMES = ["components_", "intercept_visible_", "intercept_hidden_"]


PARAMETERS = [(make, name) for make in MACHINES.values() for name in NAMES]
PARAMETERS += [(make, "noise_variance_") for make in (gaussian_machine, learned_machine)]


@directions
@pytest.mark.parametrize(("make", "name"), PARAMETERS)
def test_weights_of_another_machine_are_found_out(make, reverse, name):
    """A single bias, the weights of a single unit or, by half, a noise variance are less."""
    machine = make()
    if name == "noise_variance_":
        machine.estimator.noise_variance_[0] *= 0.5
    else:
        getattr(machine.estimator, name)[0] -= 1
    log_weights = machine.log_weights(N_CHAINS, 6, reverse)
    off, error = deviation(machine, log_weights, reverse)
    assert off > 6 * error


@directions
@pytest.mark.parametrize("name", ["log_density", "sample_hidden", "visible_input"])
def test_weights_by_a_wrong_temperature_are_found_out(reverse, name, monkeypatch):
    """1 - beta in the place of beta, in one of the steps."""
    machine, method = gaussian_machine(), getattr(TemperedRBM, name)

    def wrong(self, units, beta, *key):
        return method(self, units, 1 - beta, *key)

    monkeypatch.setattr(TemperedRBM, name, wrong)
    log_weights = machine.log_weights(N_CHAINS, 6, reverse)
    off, error = deviation(machine, log_weights, reverse)
    assert off > 6 * error


@directions
def test_weights_that_are_wrong_are_found_out(reverse):
    machine = gaussian_machine()
    log_weights = machine.log_weights(N_CHAINS, 6, reverse)
    for wrong in (-log_weights, log_weights + 0.1, 1.1 * log_weights):
        off, error = deviation(machine, wrong, reverse)
        assert off > 6 * error


def test_chains_start_at_base_rates_of_the_noise_that_was_learned():
    """Between two temperatures, every weight is that of a row of the base rates."""
    machine = learned_machine()
    machine.oracle.W *= 0.3
    machine.estimator.components_ *= 0.3
    off, error = deviation(machine, machine.log_weights(N_CHAINS, 2), reverse=False)
    assert off < 4 * error < 0.2


# --- equal seeds ------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["pcd", "cd", "pt"])
@pytest.mark.parametrize("shared", [False, True])
def test_an_estimate_with_the_seed_of_the_fit_is_unbiased(algorithm, shared, monkeypatch):
    """It would not be if annealing drew what the gradient drew: the test finds that out."""
    if shared:
        learning = Purpose.HIDDEN, Purpose.VISIBLE
        if algorithm == "pt":
            learning = Purpose.TEMPERED_HIDDEN, Purpose.TEMPERED_VISIBLE
        monkeypatch.setattr(partition, "FORWARD", learning)
    X = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 1, 1]], float)
    ratios = []
    for seed in range(300):
        rbm = BernoulliRBM(
            3, learning_rate=3, batch_size=4, n_iter=1, algorithm=algorithm, random_state=seed
        ).fit(X)
        estimate = rbm.log_partition("ais", n_chains=20, n_betas=4, random_state=seed)
        ratios.append(np.exp(estimate.value - rbm.log_partition("exact").value))
    deviation = (np.mean(ratios) - 1) / (np.std(ratios) / np.sqrt(len(ratios)))
    assert (abs(deviation) < 3.5) != shared
