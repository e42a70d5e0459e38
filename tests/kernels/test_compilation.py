"""How kernels are compiled: without the GIL, and into the cache."""

import ast
from pathlib import Path

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from skrbm import BernoulliRBM
from skrbm._kernels import crew, products, units, updates
from skrbm._kernels.cache import KernelCache
from skrbm._kernels.crew import Divisible

from ..helpers.alignment import MODULES
from ..helpers.processes import run_python


def kernels():
    """The compiled functions that the other modules call, two of a kernel that is divisible."""
    functions = {}
    for module in (crew, *MODULES):
        for name in module.__all__:
            function, path = getattr(module, name), f"{module.__name__.rpartition('.')[2]}.{name}"
            if isinstance(function, Divisible):
                functions |= {f"{path}.part": function.part, f"{path}.lead": function.lead}
            else:
                functions[path] = function
    return [
        pytest.param(function, id=name)
        for name, function in functions.items()
        if isinstance(function, Dispatcher)
    ]


def test_kernels_are_found():
    names = {kernel.id for kernel in kernels()}
    assert {"updates.add_step.part", "updates.add_step.lead", "crew.help_out"} <= names
    assert {"pseudo_likelihood.bernoulli_pseudo_likelihood", "rows.read_csr"} <= names


@pytest.mark.parametrize("kernel", kernels())
def test_every_kernel_is_cached_and_frees_the_gil(kernel):
    assert kernel.targetoptions["nogil"] is True
    assert kernel.targetoptions["nopython"] is True
    assert isinstance(kernel._cache, KernelCache)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_kernels_are_made_of_their_own_file_and_the_inlined_functions(module):
    """The cache compares no other file."""
    tree = ast.parse(Path(module.__file__).read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    assert {"inlined"} < {node.module for node in nodes} <= {"cache", "crew", "inlined"}
    own = {alias.name for node in nodes if node.module == "crew" for alias in node.names}
    assert own <= {"divisible", "of_equal_work", "per_number"}, (
        "whose code is compiled with crew.py"
    )


def test_no_two_kernels_share_their_files():
    """Each would replace what the other kept."""
    paths = {kernel.id: kernel.values[0]._cache._path(b"a signature") for kernel in kernels()}
    assert len(set(paths.values())) == len(paths)


def is_long_to_compile(node):
    """Whether Numba compiles much more for a line than for the loop in its place."""
    if isinstance(node, ast.Assign):
        into_slice = any(isinstance(part, ast.Slice) for t in node.targets for part in ast.walk(t))
        is_number = isinstance(node.value, ast.Constant) or ast.unparse(node.value).isupper()
        return into_slice and not is_number
    function = node.func if isinstance(node, ast.Call) else None
    return isinstance(function, ast.Attribute) and function.attr in {"diff", "max", "min", "sum"}


@pytest.mark.parametrize("module", [crew, *MODULES], ids=lambda module: module.__name__)
def test_kernels_write_loops_where_these_are_compiled_sooner(module):
    """An array assigned to a slice takes 2 s, for the words of an error; ``max`` takes 0.5 s."""
    tree = ast.parse(Path(module.__file__).read_text())
    decorated = [f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) and f.decorator_list]
    assert decorated
    for function in decorated:
        lines = [node.lineno for node in ast.walk(function) if is_long_to_compile(node)]
        assert not lines, f"{function.name}, lines {lines}"


def test_kernels_have_no_way_in_from_c():
    assert all(kernel.values[0].targetoptions["no_cfunc_wrapper"] for kernel in kernels())


def test_a_fit_is_compiled_into_the_cache():
    """A kernel that Numba silently refuses to cache would have no file to load from."""
    BernoulliRBM(n_components=3, n_iter=1, momentum=0.5).fit(np.eye(4))
    for kernel in (updates.add_step.part, products.skipping.part, units.bernoulli_sigmoid.part):
        assert kernel.signatures
        for signature in kernel.signatures:
            assert kernel._cache.load_overload(signature, kernel.targetctx) is not None


def test_kernels_that_must_not_be_compiled_are_not_imported():
    """As Python they would stop at the first function that exists as compiled code only."""
    code, output = run_python("import skrbm", NUMBA_DISABLE_JIT="1")
    assert code == 1
    message = output.splitlines()[-1]
    assert message.startswith("ImportError: ")
    assert "Unset NUMBA_DISABLE_JIT" in message
