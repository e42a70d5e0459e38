"""Products that share BLAS, and whose limit of threads BLAS has when."""

import itertools
import threading

import numpy as np
import pytest
import threadpoolctl
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._machine import blas

from ..helpers.crews import always_a_crew
from ..helpers.numbers import dtypes, rounding
from ..oracles import common

transpositions = pytest.mark.parametrize(
    ("left_t", "right_t"), [*itertools.product([False, True], repeat=2)]
)


def matrices(rng, dtype, sizes, left_t, right_t):
    n, k, m = sizes
    left = rng.normal(size=(k, n) if left_t else (n, k)).astype(dtype)
    return left, rng.normal(size=(m, k) if right_t else (k, m)).astype(dtype)


# --- products ---------------------------------------------------------------------------------


@dtypes
@transpositions
def test_products_are_those_of_plain_loops(dtype, left_t, right_t, rng, monkeypatch):
    sizes = [*rng.integers(1, [71, 20, 71], (6, 3)), (3, 70, 2)]
    sizes += [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0)]
    for n, k, m in sizes:
        left, right = matrices(rng, dtype, (n, k, m), left_t, right_t)
        plain = common.matmul(left.T if left_t else left, right.T if right_t else right)
        for n_threads in (1, 3):
            with always_a_crew(monkeypatch, n_threads) as jobs:
                product = blas.multiply(left, right, left_t, right_t)
            is_cut = max(n, m) > 16  # into blocks
            assert bool(jobs) == (n_threads > 1 and product.size > 0 and k > 0 and is_cut)
            assert product.dtype == dtype
            assert_allclose(product, plain, rtol=0, atol=rounding(dtype, 8 * k))


@dtypes
@transpositions
def test_products_read_arrays_of_any_order(dtype, left_t, right_t, rng):
    left, right = matrices(rng, dtype, (50, 20, 30), left_t, right_t)
    expected = blas.multiply(left, right, left_t, right_t)
    for order in (
        lambda a: np.asfortranarray(a),
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a[::-1].copy()[::-1],
        lambda a: a[:, ::-1].copy()[:, ::-1],
    ):
        assert_array_equal(blas.multiply(order(left), order(right), left_t, right_t), expected)


@dtypes
@pytest.mark.parametrize("sizes", [(100, 70, 40), (30, 200, 90), (64, 64, 64)])
def test_bits_do_not_depend_on_the_number_of_threads(dtype, sizes, rng, monkeypatch):
    left, right = matrices(rng, dtype, sizes, False, False)
    results = []
    for n_threads in (1, 2, 3, 5):
        with always_a_crew(monkeypatch, n_threads) as jobs:
            results.append(blas.multiply(left, right))
        assert len(jobs) == (n_threads > 1)
    for product in results[1:]:
        assert_array_equal(product, results[0])


# --- limits -----------------------------------------------------------------------------------


def limits():
    """The number of threads of each BLAS."""
    found = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
    return {library.filepath: library.get_num_threads() for library in found}


@pytest.fixture(params=[1, 2, 3])
def limit(request):
    """Of the user."""
    with threadpoolctl.threadpool_limits(request.param, user_api="blas"):
        yield limits()


def ours():
    """The paths of those that products use."""
    return {path for path in limits() if "scipy.libs" in path} or set(limits())


def one():
    """Limits of one thread for those."""
    return dict.fromkeys(ours(), 1)


def test_scipy_brings_its_own_blas_and_no_other_is_touched(limit):
    """Unless both have the same."""
    assert len(blas.libraries()) == len(ours())
    with blas.OneThread():
        assert limits() == limit | one()
    assert limits() == limit


class Library:
    """One that threadpoolctl finds, and that is not OpenBLAS."""

    def __init__(self, path):
        self.filepath, self.internal_api, self.n_threads = path, "mkl", 8

    def get_num_threads(self):
        return self.n_threads

    def set_num_threads(self, n_threads):
        self.n_threads = n_threads


@pytest.mark.parametrize(
    ("paths", "limited"),
    [
        (["/usr/lib/a.so", "/usr/lib/b.so"], [1, 1]),
        (["/lib/numpy.libs/a.so", "/lib/scipy.libs/b.so"], [8, 1]),
        (["/lib/numpy/.dylibs/a.dylib", "/lib/scipy/.dylibs/b.dylib"], [8, 1]),
        ([], []),
    ],
)
def test_all_blas_are_limited_where_scipy_brings_none(paths, limited, monkeypatch):
    found = [Library(path) for path in paths]

    class Controller:
        lib_controllers = found

        def select(self, user_api):
            assert user_api == "blas"
            return self

    monkeypatch.setattr(threadpoolctl, "ThreadpoolController", Controller)
    ours = blas.libraries.__wrapped__()
    monkeypatch.setattr(blas, "libraries", lambda: ours)
    with blas.OneThread():
        assert [library.n_threads for library in found] == limited
    assert [library.n_threads for library in found] == [8] * len(found)


def test_a_product_has_one_thread_and_leaves_the_limit(limit, monkeypatch):
    seen = []
    monkeypatch.setattr(blas, "together", lambda *arguments: seen.append(limits()))
    blas.multiply(np.ones((3, 4)), np.ones((4, 5)))
    assert seen == [limit | one()]
    assert limits() == limit


def test_an_error_in_a_product_leaves_the_limit(limit, monkeypatch):
    def fail(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(blas, "together", fail)
    with pytest.raises(KeyboardInterrupt):
        blas.multiply(np.ones((3, 4)), np.ones((4, 5)))
    assert limits() == limit


def test_a_limit_that_somebody_sets_meanwhile_stays(limit):
    with blas.OneThread():
        for _, put in blas.libraries():
            put(4)
    assert limits() == limit | dict.fromkeys(ours(), 4)


@pytest.mark.parametrize("first_to_go", ["first", "last"])
def test_products_that_overlap_leave_the_limit(limit, first_to_go):
    """Whoever is the last to go: threadpoolctl would obey the first who has set a limit alone."""
    inside, leave = threading.Event(), threading.Event()

    def product():
        with blas.OneThread():
            inside.set()
            assert leave.wait(60)

    other = threading.Thread(target=product)
    if first_to_go == "first":
        other.start()
        assert inside.wait(60)
    with blas.OneThread():
        if first_to_go == "first":
            leave.set()
            other.join()
        else:
            other.start()
            assert inside.wait(60)
        assert limits() == limit | one()
    if first_to_go == "last":
        assert limits() == limit | one()
        leave.set()
        other.join()
    assert limits() == limit


def test_a_product_of_any_thread_has_one_thread(limit, monkeypatch):
    """Also if threadpoolctl would obey another."""
    seen = []
    monkeypatch.setattr(blas, "together", lambda *arguments: seen.append(limits()))
    other = threading.Thread(target=blas.multiply, args=np.ones((2, 3, 3)))
    other.start()
    other.join()
    assert seen == [limit | one()]
    assert limits() == limit


def test_users_of_other_threads_can_set_limits_after_a_product():
    """In threadpoolctl the first thread that sets one keeps all others from it."""
    before, seen = [get() for get, _ in blas.libraries()], []

    def use():
        with threadpoolctl.threadpool_limits(3, user_api="blas"):
            seen.append(set(limits().values()))

    user = threading.Thread(target=use)
    try:
        for _, put in blas.libraries():
            put(2)  # so that the product has something to limit
        blas.multiply(np.ones((3, 4)), np.ones((4, 5)))
        user.start()
        user.join()
    finally:
        for n_threads, (_, put) in zip(before, blas.libraries(), strict=True):
            put(n_threads)
    assert seen == [{3}]


@pytest.mark.parametrize("place", ["get", "first", "second", "back"])
def test_an_interrupt_while_limits_change_leaves_them(place, monkeypatch):
    """Wherever it comes, within the two methods: product after product."""
    found, due = [Library("a"), Library("b")], []

    def functions(library):
        def get():
            if due == ["get"]:
                due.clear()
                raise KeyboardInterrupt
            return library.n_threads

        def put(n_threads):
            library.n_threads = n_threads
            where = "back" if n_threads != 1 else "first" if library is found[0] else "second"
            if due == [where]:
                due.clear()
                raise KeyboardInterrupt

        return get, put

    monkeypatch.setattr(blas, "libraries", lambda: [functions(library) for library in found])
    for _ in range(3):
        due.append(place)
        with pytest.raises(KeyboardInterrupt):
            blas.multiply(np.ones((3, 4)), np.ones((4, 5)))
        assert [library.n_threads for library in found] == [8, 8]
        assert_array_equal(blas.multiply(np.ones((3, 4)), np.ones((4, 5))), 4)
        assert [library.n_threads for library in found] == [8, 8]


@pytest.mark.parametrize("place", ["enter", "leave"])
def test_a_signal_handler_may_multiply(place, monkeypatch):
    """Its thread may be in the middle of a change of limits."""
    found, due, handled = [Library("a")], [place], []

    def handler():  # wherever Python might call one
        if due:
            due.clear()
            handled.append(blas.multiply(np.ones((3, 4)), np.ones((4, 5))))

    def put(n_threads):
        if n_threads == (1 if place == "enter" else 8):
            handler()
        found[0].n_threads = n_threads

    get = found[0].get_num_threads
    monkeypatch.setattr(blas, "libraries", lambda: [(get, put)])
    product = threading.Thread(
        target=lambda: handled.append(blas.multiply(np.ones((3, 4)), np.ones((4, 5)))),
        daemon=True,
    )
    product.start()
    product.join(60)
    assert len(handled) == 2, "the handler waits for its own thread"
    assert found[0].n_threads == 8
    for actual in handled:
        assert_array_equal(actual, 4)


def test_many_products_in_many_threads_leave_the_limit(limit):
    a, products = np.ones((40, 40)), []

    def work():
        products.extend(blas.multiply(a, a) for _ in range(200))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert limits() == limit
    assert len(products) == 800
    for product in products:
        assert_array_equal(product, 40)
