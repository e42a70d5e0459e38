"""The arrows between wings point one way, and libraries stay in their place."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import skrbm

PACKAGE = Path(skrbm.__file__).parent

#: From the top down: a module imports from its own wing, or from lower levels.
LEVELS = [
    ["__init__"],
    ["_bernoulli", "_gaussian", "_softmax"],
    ["_estimator"],
    ["_input", "_training", "_inference"],
    ["_machine"],
    ["_kernels", "_log_partition"],
]
LEVEL = {wing: i for i, level in enumerate(LEVELS) for wing in level}
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py")
)


def wing(module):
    """The folder of a module or, of a front door, its own name."""
    return module.partition(".")[0]


def imports(module):
    """Modules of the package that a module imports, and names of libraries, as two sets."""
    path = PACKAGE / Path(*module.split(".")).with_suffix(".py")
    folder = module.split(".")[:-1]
    own, libraries = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            libraries |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            libraries.add(node.module)
        elif isinstance(node, ast.ImportFrom):
            parts = folder[: len(folder) + 1 - node.level]
            parts += node.module.split(".") if node.module else []
            for alias in node.names:
                name = ".".join([*parts, alias.name])
                own.add(name if name in MODULES else ".".join(parts))
    return {name if name in MODULES else f"{name}.__init__" for name in own}, libraries


def test_every_wing_has_a_level():
    assert {wing(module) for module in MODULES} == set(LEVEL)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_downwards(module):
    for name in imports(module)[0]:
        same_wing = wing(name) == wing(module)
        assert same_wing or LEVEL[wing(name)] > LEVEL[wing(module)], f"{module} imports {name}"


def test_no_import_is_circular():
    graph = {module: imports(module)[0] for module in MODULES}
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("module", MODULES)
def test_libraries_stay_in_their_place(module):
    libraries = imports(module)[1]
    if wing(module) != "_kernels":
        assert not any(name.split(".")[0] in ("numba", "llvmlite") for name in libraries)
    if wing(module) in ("_training", "_inference", "_machine", "_kernels"):
        assert not any(name.startswith("sklearn") for name in libraries)
    if module != "_input.checks":
        assert not any("._" in name for name in libraries if name.startswith("sklearn"))


@pytest.mark.parametrize("module", MODULES)
def test_files_are_short(module):
    path = PACKAGE / Path(*module.split(".")).with_suffix(".py")
    n_lines = len(path.read_text().splitlines())
    assert n_lines <= (600 if wing(module) == "_kernels" else 400)
