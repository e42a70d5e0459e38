"""README.md and setup.cfg tell one story, links live, code runs, benchmarks run users' kernels."""

import os
import platform
import re
import subprocess
import sys

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from .helpers.project import ROOT, requirements, setup_cfg

README = (ROOT / "README.md").read_text(encoding="utf-8")
METADATA, OPTIONS = setup_cfg()["metadata"], setup_cfg()["options"]
URLS = dict(re.findall(r"(\w+) = (\S+)", METADATA["project_urls"]))
PICTURE = ROOT / "docs" / "_static" / "readme.png"

CODE = re.findall(r"(?ms)^```python\n(.*?)^```", README)
DEFINED = dict(re.findall(r"^\[(\w+)\]: (\S+)$", README, re.MULTILINE))


def test_readme_names_the_versions_of_setup_cfg():
    rows = re.findall(r"^\| ([\w-]+) \| ([\d.]+) or later \|", README, re.MULTILINE)
    lowest = requirements("install_requires") | {"Python": OPTIONS["python_requires"].strip(">=")}
    named = {name.lower(): bound for name, bound in rows}
    del lowest["threadpoolctl"]  # which comes with scikit-learn
    assert named == {name.lower(): bound for name, bound in lowest.items()}


def test_classifiers_name_the_versions_that_readme_says_are_tested():
    versions = re.findall(r":: (3\.\d+)$", METADATA["classifiers"], re.MULTILINE)
    assert f"| tested with {', '.join(versions[:-1])} and {versions[-1]} |" in README
    assert f">={versions[0]}" == OPTIONS["python_requires"]
    assert "Operating System :: POSIX :: Linux" in METADATA["classifiers"]


def test_links_of_readme_are_absolute():
    """A package index shows the file without the files beside it."""
    inline = re.findall(r"\]\(([^)]*)\)", README)
    assert all(link.startswith("https://") for link in [*inline, *DEFINED.values()])
    assert set(re.findall(r"\]\[(\w+)\]", README)) == set(DEFINED)


@pytest.mark.parametrize("link", DEFINED.values(), ids=DEFINED)
def test_links_of_readme_lead_to_a_page_or_a_file(link):
    if link.startswith(URLS["Documentation"]):
        page = link.removeprefix(URLS["Documentation"]).removesuffix(".html")
        gallery = page == "auto_examples/index"  # which the build makes
        assert gallery or (ROOT / "docs" / f"{page}.rst").is_file()
    else:
        assert (ROOT / link.removeprefix(f"{URLS['Source']}/blob/main/")).is_file()


def test_the_picture_of_readme_is_the_one_that_its_script_draws():
    shown, made = re.search(r"!\[[^]]+\]\((\S+)\)\n\n\*.*`python (\S+)`", README).groups()
    raw = URLS["Source"].replace("github.com", "raw.githubusercontent.com")
    assert shown == f"{raw}/main/{PICTURE.relative_to(ROOT).as_posix()}"
    assert f'"{PICTURE.name}"' in (ROOT / made).read_text(encoding="utf-8")
    assert PICTURE.stat().st_size < 150_000


def test_the_example_of_readme_writes_the_picture_that_it_names():
    (example,) = re.findall(r"^python3 .* (docs/examples/\w+\.py)$", README, re.MULTILINE)
    (written,) = re.findall(r"writes a picture,\s`([^`]+)`", README)
    assert f'savefig("{written}"' in (ROOT / example).read_text(encoding="utf-8")


def test_code_of_readme_runs_as_written(capsys):
    """One block after the other, as a reader would run them."""
    assert CODE
    names = {}
    with threadpool_limits(
        1
    ):  # tests run side by side, and threads of BLAS would wait for one another
        for block in CODE:
            exec(block, names)
            assert capsys.readouterr().out
    pixels, features = (
        names[name].score(names["X_test"], names["y_test"]) for name in ("pixels", "features")
    )
    assert features > pixels + 0.005


def test_the_lowest_versions_are_those_of_setup_cfg():
    command = [sys.executable, ".ci/minima.py"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    pins = dict(line.split("==") for line in printed.splitlines())
    bounds = requirements("install_requires", "test", "dask")
    assert pins == {name: bound for name, bound in bounds.items() if bound}
    assert pins.keys() >= {"numpy", "scipy", "scikit-learn", "numba"}


BENCHMARKS = ROOT / "tests" / "benchmarks"
KERNELS = """
import argparse, os
from timing import KERNEL_VARIABLES, describe_machine, parse
parse(argparse.ArgumentParser())
print([os.environ.get(name) for name in KERNEL_VARIABLES])
print(describe_machine())
"""


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.stem)
def test_every_benchmark_chooses_the_kernels_of_products(path):
    """Only timing.py reads a command line, and its reader chooses them."""
    text = path.read_text(encoding="utf-8")
    readers = r"\b(parse|parsed|run_sections)\("
    assert "__main__" not in text or re.search(readers, text)
    assert "parse_args" not in text or path.stem == "timing"


@pytest.mark.skipif(
    platform.machine() != "x86_64"
    or not any(pool["internal_api"] == "openblas" for pool in threadpool_info()),
    reason="asks OpenBLAS for kernels of x86-64",
)
@pytest.mark.parametrize("option", [(), ("--kernels", "Nehalem")], ids=["default", "chosen"])
def test_kernels_of_benchmarks_do_not_depend_on_the_environment(option):
    forced = os.environ | {"OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_L2_SIZE": "256"}
    run = subprocess.run(
        [sys.executable, "-c", KERNELS, *option],
        cwd=BENCHMARKS,
        env=forced,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "without OPENBLAS_CORETYPE=Prescott." in run.stdout
    assert "without OPENBLAS_L2_SIZE=256." in run.stdout
    lines = [line for line in run.stdout.splitlines() if not line.startswith("Started again")]
    variables, *machine = lines
    assert variables == str([*option[1:], None, None][:2])
    blas = [line for line in machine if line.startswith("BLAS")]
    why = "Nehalem kernels, as --kernels says" if option else "kernels, as it chooses"
    assert all(why in line and "Prescott" not in line for line in blas if "openblas" in line)
