"""The record of a partition function."""

import dataclasses

import pytest

from skrbm import LogPartition

from ..helpers.partition_machines import QUICK, bernoulli_machine


def test_log_partition_is_a_frozen_record_of_floats():
    estimator = bernoulli_machine().estimator
    results = {
        "exact": estimator.log_partition("exact"),
        "ais": estimator.log_partition("ais", **QUICK),
        "reverse_ais": estimator.log_partition("reverse_ais", **QUICK),
    }
    for method, result in results.items():
        numbers = [result.value, result.stderr, *result.interval, result.effective_sample_size]
        assert [type(number) for number in numbers] == 5 * [float]
        assert result.method == method
        assert isinstance(result, LogPartition)
        assert float(result) == result.value
        with pytest.raises(dataclasses.FrozenInstanceError):
            result.value = 0.0
        if method != "exact":
            assert result.interval[0] < result.value < result.interval[1]
            assert 0 < result.stderr < 1
            assert 1 <= result.effective_sample_size <= 10
