"""Parts of training data: read in two steps they are the rows that fit sees."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._estimator.data import hold_out
from skrbm._estimator.fitting import scaled_weights
from skrbm._estimator.learning import learner_of
from skrbm._estimator.parts import (
    Plan,
    TableFacts,
    bare_copy,
    check_description,
    described_features,
    equal_features,
    form_data,
    learn_form,
    read_table,
)
from skrbm._input.encoding import merged_values

from ..helpers.comparison import assert_same_bits
from ..helpers.containers import as_frame
from ..helpers.models import BERNOULLI, GAUSSIAN, SOFTMAX, models, models_and_containers

SEED = np.uint64(3)
CUTS = (slice(0, 5), slice(5, 6), slice(6, 47))


def first_step(rbm, parts, weights=None):
    """A learner that has learned what all parts say, their tables, and facts."""
    learner = learner_of(rbm)
    reader = bare_copy(learner)
    weights = [None] * len(parts) if weights is None else weights
    steps = [read_table(reader, *pair, True) for pair in zip(parts, weights, strict=True)]
    tables, found, facts = zip(*steps, strict=True)
    found = None if found[0] is None else merged_values(found)
    learn_form(learner, found, facts)
    return learner, tables, facts


def plan_of(learner, dtype=np.float64, mean_weight=None, alone=False):
    return Plan(np.dtype(dtype), mean_weight, learner._settings(shuffle=True), alone)


def read_back(rows):
    return rows.read(slice(0, rows.n_rows))


@models_and_containers
@pytest.mark.parametrize("weighted", [False, True])
def test_parts_are_the_rows_that_fit_sees(model, container, weighted, rng):
    X, weights = model.rows(), rng.uniform(0.1, 5, 47) if weighted else None
    rbm = model.machine(n_iter=0).fit(container(X))
    whole, _ = rbm._read(container(X))
    cut = None if weights is None else [weights[which] for which in CUTS]
    learner, tables, facts = first_step(rbm, [container(X[which]) for which in CUTS], cut)
    assert learner.n_features_in_ == X.shape[1]
    if model is SOFTMAX:
        assert_same_bits(learner.categories_, rbm.categories_)
    assert [part.n_rows for part in facts] == [5, 1, 41]
    mean = None
    if weighted:
        assert_allclose([part.weight for part in facts], [w.sum() for w in cut])
        mean = sum(part.weight for part in facts) / 47
    plan, reader = plan_of(learner, mean_weight=mean), bare_copy(learner)
    for table, which in zip(tables, CUTS, strict=True):
        data, description = form_data(reader, table, plan, SEED)
        expected = whole.part(np.arange(47)[which])
        assert_same_bits(read_back(data.rows), read_back(expected))
        assert description.n_rows == expected.n_rows
        assert data.held_out is None
        if weighted:
            assert_allclose(data.rows.weights, scaled_weights(weights, mean)[which])
        else:
            assert data.rows.weights is None
        if model is SOFTMAX:
            assert data.rows.X is None  # what training does not need


@models
def test_rows_of_weight_zero_and_parts_without_rows_are_left_out(model):
    X = model.rows()
    reader = bare_copy(learner_of(model.machine()))
    nothing = None, None, TableFacts(0, {}, None, None)
    assert read_table(reader, X[:0], None, True) == nothing
    assert read_table(reader, X[:3], np.zeros(3), True) == nothing
    (table, weights), _, facts = read_table(reader, X[:4], np.array([0, 2.0, 0, 1]), True)
    assert_array_equal(table, X[[1, 3]])
    assert_array_equal(weights, [2, 1])
    assert (facts.n_rows, facts.weight) == (2, 3)


@models
def test_parts_have_one_dtype(model):
    """That of numbers of all parts; the machine has that of the plan."""
    X = model.complete()
    parts = X[:20].astype(np.float32), X[20:]
    learner, tables, facts = first_step(model.machine(), parts)
    assert [part.dtype for part in facts] == [np.float32, np.float64]
    for table in tables:
        data, description = form_data(bare_copy(learner), table, plan_of(learner), SEED)
        assert data.rows.dtype == description.dtype == np.float64


@models
def test_each_part_holds_out_rows_of_its_own(model):
    X = model.complete()
    learner, tables, _ = first_step(model.machine(early_stopping=True), [X[:20], X[20:]])
    reader = bare_copy(learner)
    for table, part in zip(tables, (X[:20], X[20:]), strict=True):
        data, description = form_data(reader, table, plan_of(learner), SEED)
        training, held_out = hold_out(learner, reader._form(part), SEED)
        assert_same_bits(read_back(data.rows), read_back(training))
        assert_same_bits(read_back(data.held_out), read_back(held_out))
        assert description.n_rows == training.n_rows
        if model is SOFTMAX:
            assert data.rows.X is data.held_out.X is None


@models
@pytest.mark.parametrize("alone", [False, True])
def test_equal_rows_are_merged_in_a_single_part_alone(model, alone):
    X = np.concatenate([model.complete()[:5]] * 2)
    learner, (table,), _ = first_step(model.machine(algorithm="cd"), [X])
    data, _ = form_data(bare_copy(learner), table, plan_of(learner, alone=alone), SEED)
    assert data.rows.n_rows == (len(np.unique(X, axis=0)) if alone else 10)


@models
def test_what_reads_parts_holds_no_fitted_arrays(model):
    rbm = model.machine().fit(model.rows())
    reader = bare_copy(rbm)
    assert not {"components_", "h_samples_", "_records", "_averaged"} & vars(reader).keys()
    assert reader.get_params() == rbm.get_params()
    assert reader.n_features_in_ == rbm.n_features_in_


def test_features_of_parts_are_compared_and_described():
    plain = {"n_features_in_": 2}
    named, other = (plain | {"feature_names_in_": np.array(list(names))} for names in ("ab", "ba"))
    assert equal_features(named, dict(named))
    assert not equal_features(named, other)
    assert not equal_features(named, plain)
    assert not equal_features(plain, {"n_features_in_": 3})
    assert described_features(plain) == "2 features without names"
    assert described_features(named) == "2 features named [a, b]"


def test_names_of_features_are_learned_and_forgotten():
    X = BERNOULLI.rows()
    learner, _, facts = first_step(BERNOULLI.machine(), [as_frame(X)])
    assert list(learner.feature_names_in_) == list(as_frame(X).columns)
    assert equal_features(facts[0].features, {k: vars(learner)[k] for k in facts[0].features})
    learn_form(learner, None, [TableFacts(3, {"n_features_in_": 6}, np.dtype(float), None)])
    assert not hasattr(learner, "feature_names_in_")


def test_all_parts_together_are_checked_as_all_rows():
    X = 3.0 * BERNOULLI.rows()
    learner, (table,), _ = first_step(BERNOULLI.machine(), [X])
    _, description = form_data(bare_copy(learner), table, plan_of(learner), SEED)
    with pytest.warns(UserWarning, match="3"):
        check_description(learner, description, reset=True)
    X = 1000.0 + GAUSSIAN.rows()
    learner, (table,), _ = first_step(GAUSSIAN.machine(), [X])
    _, description = form_data(bare_copy(learner), table, plan_of(learner), SEED)
    with pytest.warns(UserWarning, match="Standardise X"):
        check_description(learner, description, reset=True)
