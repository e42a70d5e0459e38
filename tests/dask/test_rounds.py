"""Which partitions make which updates between two means."""

import numpy as np
import pytest

from skrbm.dask._rounds import FAN_IN, mean_tree, rounds, tree, warm_up_rounds

from ..helpers.training import settings


@pytest.mark.parametrize("sync_every", [1, 2, 3, 100])
@pytest.mark.parametrize("sizes", [{0: 47}, {0: 25, 1: 7, 2: 16}, {3: 1, 5: 10}])
def test_each_row_is_in_one_turn_of_an_epoch(sizes, sync_every):
    seen, n_rows = {p: [] for p in sizes}, dict.fromkeys(sizes, 0)
    for turns in rounds(sizes, settings(batch_size=5), sync_every):
        assert turns
        assert [turn.p for turn in turns] == sorted(turn.p for turn in turns)
        assert len({turn.batches.start for turn in turns}) == 1
        for turn in turns:
            assert 0 < len(turn.batches) <= sync_every
            assert turn.n_rows == sum(min(5, sizes[turn.p] - 5 * b) for b in turn.batches)
            seen[turn.p] += turn.batches
            n_rows[turn.p] += turn.n_rows
    assert n_rows == sizes
    assert seen == {p: list(range(-(-n // 5))) for p, n in sizes.items()}


def test_the_first_partition_warms_up_alone():
    turns = [turn for (turn,) in warm_up_rounds({2: 10, 5: 90}, 3, 7)]
    assert [turn.batches for turn in turns] == [range(3), range(3, 6), range(6, 7)]
    assert {turn.p for turn in turns} == {2}
    assert list(warm_up_rounds({2: 10}, 3, 0)) == []


@pytest.mark.parametrize("n", [1, 2, FAN_IN, FAN_IN + 1, FAN_IN**2 + 3])
def test_a_tree_keeps_the_order_and_no_task_has_too_much(n):
    widths = []

    def join(*texts):
        widths.append(len(texts))
        return "".join(texts)

    letters = [chr(65 + k) for k in range(n)]
    assert tree(join, letters) == "".join(letters)
    assert max(widths, default=1) <= FAN_IN


@pytest.mark.parametrize("n", [1, 3, FAN_IN, FAN_IN + 1, FAN_IN**2 + 3])
def test_a_tree_of_means_weighs_by_rows(n, rng):
    sizes = {p: int(rng.integers(1, 9)) for p in range(n)}
    (turns,) = rounds(sizes, settings(batch_size=9), 1)
    values = rng.normal(0, 1, n)

    def mean(weights, *parts):
        assert len(weights) == len(parts) <= FAN_IN
        return sum(w * v for w, v in zip(weights, parts, strict=True))

    expected = np.average(values, weights=list(sizes.values()))
    np.testing.assert_allclose(mean_tree(mean, turns, list(values)), expected, rtol=1e-13)
