"""The arrows between modules point one way."""

import ast
from pathlib import Path

import pytest

import skrbm

PACKAGE = Path(skrbm.__file__).parent

#: From the top down: a module imports only from lower levels.
LEVELS = [
    ["__init__"],
    ["_bernoulli", "_gaussian", "_softmax"],
    ["_base", "_ratings"],
    ["_generative"],
    ["_methods", "_encoding"],
    ["_validation", "_training", "_sampling", "_partition"],
    ["_tempered"],
    ["_model", "_softmax_visible"],
    ["_visible"],
    ["_products", "_categories"],
    ["_parallel"],
    ["_linear", "_onehot_kernels", "_partition_kernels"],
    ["_kernels"],
]
LEVEL = {module: i for i, level in enumerate(LEVELS) for module in level}
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py"))


def imports(module):
    """Names of imported modules; those of the package with a leading dot."""
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ("." + name for name in names)


def test_every_module_has_a_level():
    assert sorted(LEVEL) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_downwards(module):
    for name in imports(module):
        if name.startswith("."):
            assert LEVEL[name[1:]] > LEVEL[module], f"{module} imports {name}"


@pytest.mark.parametrize("module", MODULES)
def test_libraries_stay_in_their_place(module):
    names = list(imports(module))
    if LEVEL[module] < LEVEL["_linear"]:
        assert not any(name.split(".")[0] in ("numba", "llvmlite") for name in names)
    if LEVEL[module] > LEVEL["_methods"] and module != "_validation":
        assert not any(name.startswith("sklearn") for name in names)
    if module != "_validation":
        assert not any("._" in name for name in names if name.startswith("sklearn"))


def test_files_are_short():
    for module in MODULES:
        n_lines = len((PACKAGE / f"{module}.py").read_text().splitlines())
        assert n_lines <= (600 if module.endswith("_kernels") else 400), module
