"""Random cases: whatever comes, a result or an error that is a sentence for users."""

import pytest

from .case import check
from .promises import BrokenPromiseError

#: Cases of the normal run, and of the long one, which takes shards of so many.
FEW, MANY, SHARD = 500, 40_000, 250


def check_all(numbers):
    """All cases, so that one broken promise does not hide another."""
    broken = []
    for number in numbers:
        try:
            check(number)
        except BrokenPromiseError as error:
            broken.append(str(error))
    if broken:
        pytest.fail("\n\n".join([*broken, f"{len(broken)} cases broke a promise"]), pytrace=False)


@pytest.mark.parametrize("first", range(0, FEW, 50))
def test_few_cases(first):
    check_all(range(first, first + 50))


@pytest.mark.fuzz
@pytest.mark.parametrize("first", range(FEW, MANY, SHARD))
def test_many_cases(first):
    check_all(range(first, first + SHARD))
