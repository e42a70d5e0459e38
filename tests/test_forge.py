"""Files for a public forge agree with setup.cfg, the changelog and one another."""

import re
import shutil
import subprocess
import tomllib

import pytest
import yaml

import skrbm

from .helpers.project import ROOT, setup_cfg

METADATA = setup_cfg()["metadata"]
CHANGELOG = (ROOT / "docs" / "changelog.rst").read_text(encoding="utf-8")
#: Versions and dates (or "unreleased"), the newest first.
HISTORY = re.findall(r"(?m)^(\d+\.\d+\.\d+) \(([^)]+)\)\n-+$", CHANGELOG)
DATE = r"\d{4}-\d\d-\d\d"


def read(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


# --- versions ---


def test_the_changelog_begins_with_this_version():
    version, date = HISTORY[0]
    assert version == skrbm.__version__.partition(".dev")[0]
    assert (date == "unreleased") == (".dev" in skrbm.__version__)
    assert all(re.fullmatch(DATE, date) for _, date in HISTORY[1:])


def test_the_latest_release_is_to_be_cited():
    """Before the first one, the release to come, without a date."""
    citation = read("CITATION.cff")
    released = [(version, date) for version, date in HISTORY if date != "unreleased"]
    version, date = released[0] if released else (HISTORY[0][0], None)
    assert citation["version"] == version
    assert (None if date is None else str(citation["date-released"])) == date
    assert released or "date-released" not in citation


def test_the_citation_names_what_setup_cfg_names():
    citation = read("CITATION.cff")
    urls = dict(re.findall(r"(\w+) = (\S+)", METADATA["project_urls"]))
    title = f"{METADATA['name']}: {METADATA['description']}"
    assert citation["title"].lower() == title.lower()
    assert citation["license"] == METADATA["license"]
    assert citation["repository-code"] == urls["Source"]
    assert citation["url"] == urls["Documentation"]
    assert citation["authors"] == [{"name": METADATA["author"]}]


# --- workflows ---

JOBS = {
    name: job
    for workflow in ("tests", "changelog")
    for name, job in read(f".github/workflows/{workflow}.yml")["jobs"].items()
}
SYSTEMS = {"ubuntu": "POSIX :: Linux", "macos": "MacOS", "windows": "Microsoft :: Windows"}


def test_what_the_classifiers_claim_is_tested():
    """All of it, and the workflow claims nothing besides."""
    matrix = JOBS["tests"]["strategy"]["matrix"]
    claimed = re.findall(r"Python :: (3\.\d+)$", METADATA["classifiers"], re.MULTILINE)
    assert matrix["python"] == claimed
    tested = {SYSTEMS[name.partition("-")[0]] for name in matrix["os"]}
    assert tested == set(re.findall(r"Operating System :: (.+)", METADATA["classifiers"]))


def test_workflows_run_scripts_that_exist():
    commands = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]
    scripts = {command.split()[0] for command in commands if command.startswith(".ci/")}
    assert scripts == {".ci/minima", ".ci/distributions", ".ci/changelog"}
    assert all((ROOT / script).is_file() for script in scripts)
    readme, page = (
        (ROOT / path).read_text(encoding="utf-8")
        for path in ("README.md", "docs/developer/index.rst")
    )
    tests, others = (command for command in commands if "pytest" in command)
    assert tests.removeprefix("python ") in readme
    normal = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    deselected = normal["tool"]["pytest"]["ini_options"]["addopts"][-1]
    assert " or ".join(re.findall(r"not (\w+)", deselected)) == others.split('"')[1]
    (site,) = (command for command in commands if "sphinx" in command)
    assert site.removeprefix("python ") in page


# --- forms ---


@pytest.mark.parametrize("name", ["bug", "feature"])
def test_an_issue_form_is_complete(name):
    form = read(f".github/ISSUE_TEMPLATE/{name}.yml")
    assert {"name", "description", "labels", "body"} == form.keys()
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids)
    assert all(field["attributes"]["label"] for field in form["body"])


def test_a_report_of_a_fault_has_the_versions_and_an_example():
    fields = {field["id"]: field for field in read(".github/ISSUE_TEMPLATE/bug.yml")["body"]}
    assert "skrbm.show_versions()" in fields["versions"]["attributes"]["description"]
    assert all(fields[name]["validations"]["required"] for name in ("versions", "example"))
    names = {}
    exec(fields["example"]["attributes"]["placeholder"], names)
    assert names["BernoulliRBM"] is skrbm.BernoulliRBM


# --- the check of the changelog ---


@pytest.fixture(name="checkout")
def small_checkout(tmp_path):
    """A repository with a branch, and what makes a commit on it."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "changelog", tmp_path / ".ci" / "changelog")

    def git(*arguments):
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    def commit(message, *paths):
        for path in paths:
            (tmp_path / path).parent.mkdir(exist_ok=True)
            with (tmp_path / path).open("a") as file:
                file.write(message)
        git("add", "--all")
        git("commit", "--message", message)

    def passes():
        command = [tmp_path / ".ci" / "changelog", "main"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    git("init", "--initial-branch=main")
    commit("Begin", "skrbm/a.py", "docs/changelog.rst")
    git("switch", "--create", "change")
    return commit, passes


def test_a_change_of_the_package_needs_a_line_in_the_changelog(checkout):
    commit, passes = checkout
    commit("Tests", "tests/a.py", "docs/skrbm.rst")
    assert passes()
    commit("A change", "skrbm/a.py")
    assert not passes()
    commit("Its line", "docs/changelog.rst")
    assert passes()


def test_a_commit_may_say_that_users_notice_nothing(checkout):
    commit, passes = checkout
    commit("Changelog: none is not a trailer here\n\nBut text.", "skrbm/a.py")
    assert not passes()
    commit("Move code\n\nNobody notices.\n\nChangelog: none", "skrbm/a.py")
    assert passes()
