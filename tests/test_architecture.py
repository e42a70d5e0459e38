"""The arrows between wings point one way, libraries stay in place, and tests mirror the wings."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import skrbm

PACKAGE = Path(skrbm.__file__).parent
TESTS = Path(__file__).parent
TEST_MODULES = sorted(
    ".".join(path.relative_to(TESTS).with_suffix("").parts) for path in TESTS.rglob("test_*.py")
)


#: From the top down: a module imports from its own wing, or from lower levels.
LEVELS = [
    ["__init__"],
    ["_warm_up", "dask", "datasets", "displays", "metrics"],
    ["_recommender"],
    ["_recommending"],
    ["_bernoulli", "_gaussian", "_show_versions", "_softmax"],
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


def private_names(module, library=None):
    """Private names that a module imports from a library or, without one, from the package."""
    path = PACKAGE / Path(*module.split(".")).with_suffix(".py")
    return [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
        if (node.level > 0 if library is None else node.module.split(".")[0] == library)
        for alias in node.names
        if alias.name.startswith("_")
    ]


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
    if wing(module) != "dask":
        assert not any(name.split(".")[0] in ("dask", "distributed") for name in libraries)
    if wing(module) != "_kernels":
        assert not any(name.split(".")[0] in ("numba", "llvmlite") for name in libraries)
    if wing(module) in ("_training", "_inference", "_machine", "_kernels"):
        assert not any(name.startswith("sklearn") for name in libraries)
    if module != "_input.checks":
        assert not any("._" in name for name in libraries if name.startswith("sklearn"))
        assert not private_names(module, "sklearn"), "from scikit-learn"


@pytest.mark.parametrize("module", MODULES)
def test_no_private_name_is_imported(module):
    """From another module of the package: what others need is public there."""
    assert not private_names(module)


@pytest.mark.parametrize("module", MODULES)
def test_files_are_short(module):
    path = PACKAGE / Path(*module.split(".")).with_suffix(".py")
    n_lines = len(path.read_text().splitlines())
    assert n_lines <= (600 if wing(module) == "_kernels" else 400)


# --- tests ------------------------------------------------------------------------------------


def its_tests(module):
    """The test module of a module: in the folder of its wing or, of a front door, in estimator."""
    folder, _, name = module.lstrip("_").rpartition(".")
    return f"{folder or 'estimator'}.test_{name.lstrip('_')}"


@pytest.mark.parametrize(
    "module", [module for module in MODULES if not module.endswith("__init__")]
)
def test_every_module_has_its_tests(module):
    """Further tests of it may be in files whose names begin like that of the first."""
    assert its_tests(module) in TEST_MODULES


@pytest.mark.parametrize("module", TEST_MODULES)
def test_no_test_module_imports_another(module):
    """What they share is a helper or an oracle."""
    path = TESTS / Path(*module.split(".")).with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module or ''}.{alias.name}" for alias in node.names]
        else:
            continue
        parts = [part for name in names for part in name.split(".")]
        assert not any(part.startswith("test_") for part in parts), f"{module} imports {names}"


@pytest.mark.parametrize(
    "path",
    [path for path in TESTS.rglob("*.py") if path.parent.name != "benchmarks"],
    ids=lambda path: str(path.relative_to(TESTS)),
)
def test_test_files_are_short(path):
    assert len(path.read_text().splitlines()) <= 400
