"""Calls of a machine that tests make often, in the words of the mathematics."""

import numpy as np

from skrbm._machine import threads
from skrbm._machine.bernoulli import BernoulliLayer
from skrbm._machine.keys import Key
from skrbm._machine.numbers import NumberPhases
from skrbm._machine.onehot import OneHotPhases, OneHotRows
from skrbm._machine.rbm import RBM
from skrbm._machine.tempered import TemperedRBM


def machine_of(visible, W, c):
    """A machine of a visible layer, weights and hidden biases."""
    return RBM(visible, W, BernoulliLayer(c))


def recorded_calls(monkeypatch, module):
    """The arguments of all calls that a module of the machine shares between threads, from now."""
    calls, in_threads = [], threads.in_threads

    def record(function, arguments):
        calls.extend(arguments)
        in_threads(function, arguments)

    monkeypatch.setattr(f"skrbm._machine.{module}.in_threads", record)
    return calls


def key(seed=1, update=0, purpose=0):
    return Key(np.uint64(seed), update, purpose)


def hidden_mean(model, v):
    """p(h = 1 | v)."""
    return model.hidden.mean(model.hidden_input(v))


def visible_mean(model, h):
    """E[v | h] of each feature."""
    return model.visible.feature_mean(model.visible_input(h))


def sample_hidden(model, v, key):
    return model.hidden.sample(model.hidden_input(v), key)


def sample_visible(model, h, key, out=None):
    return model.visible.sample(model.visible_input(h), key, out)


def phases_of(v_pos, v_neg):
    """Both phases, of rows that are there already."""
    if isinstance(v_pos, OneHotRows):
        return OneHotPhases(v_pos, v_neg)
    return NumberPhases(np.concatenate((v_pos, v_neg)), len(v_pos))


def weighted_gradient(model, v, h, row_weights):
    """sum_r row_weights[r] d(-E(v_r, h_r))/d parameter, all rows in one phase."""
    weighted = h * row_weights[:, np.newaxis]
    phases = phases_of(v, v[:0])
    weights, *visible = model.visible.gradient(phases, weighted, row_weights, model.weights)
    return weights, weighted.sum(axis=0), *visible


def recorded_parities(monkeypatch):
    """A list that grows by the parity of each exchange of replicas."""
    parities, exchange = [], TemperedRBM.swapped

    def record(self, t, betas, parity, key):
        parities.append(parity % 2)
        return exchange(self, t, betas, parity, key)

    monkeypatch.setattr(TemperedRBM, "swapped", record)
    return parities
