"""The README's test command is what CI runs, so it cannot rot."""

import hashlib
import importlib
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]


def test_the_readme_has_one_test_command_and_ci_takes_it_from_there():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (pattern,) = re.findall(r"grep -E '(.+)' README\.md", script)
    commands = re.findall(pattern, (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 1
    assert "[test]" in commands[0]


@pytest.fixture
def script(monkeypatch):
    """Imports a script of .ci by its name."""
    monkeypatch.syspath_prepend(str(ROOT / ".ci"))
    names = []
    yield lambda name: importlib.import_module(names.append(name) or name)
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def lowest(script):
    return script("lowest").lowest_versions


def test_the_lowest_version_of_everything_is_read_off_its_bound(lowest):
    extras = {"a": ["torch>=2.13,<3", "unmask[b]"], "b": ["fixed==0.3.0", "scikit-learn>=1.5"]}
    project = {"name": "unmask", "dependencies": ["av>=18"], "optional-dependencies": extras}
    assert lowest(project) == {"av": "18", "torch": "2.13", "fixed": "0.3.0", "scikit-learn": "1.5"}


@pytest.mark.parametrize("requirement", ["av", "av<19", "av>18"])
def test_a_requirement_without_a_lowest_version_is_named(lowest, requirement):
    with pytest.raises(ValueError, match=f"got '{requirement}'"):
        lowest({"name": "unmask", "dependencies": [requirement], "optional-dependencies": {}})


def test_two_lowest_versions_of_one_package_are_refused(lowest):
    extras = {"a": ["numpy>=2.1"]}
    with pytest.raises(ValueError, match=r"one lowest version, got 2 and 'numpy>=2\.1'"):
        lowest({"name": "unmask", "dependencies": ["numpy>=2"], "optional-dependencies": extras})


def locked(name):
    """By package the version, and how many files it may come as."""
    text = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        requirement, *hashes = line.split(" --hash=")
        package, _, version = requirement.partition(";")[0].strip().partition("==")
        assert version and all(re.fullmatch("sha256:[0-9a-f]{64} *", one) for one in hashes), line
        found.setdefault(canonicalize_name(package), []).append((version, len(hashes)))
    return found


@pytest.mark.parametrize(("name", "extras"), [("default", ()), ("web", ("web",))])
def test_what_is_locked_fits_and_every_file_has_a_hash(name, extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = locked(name)
    assert all(hashes for versions in found.values() for _, hashes in versions)
    asked = [*project["dependencies"], *(r for e in extras for r in project["optional-dependencies"][e])]
    for requirement in map(Requirement, asked):
        versions = found[canonicalize_name(requirement.name)]
        assert all(version in requirement.specifier for version, _ in versions), requirement


@pytest.mark.parametrize("name", ["default", "web", "build"])
def test_a_lock_file_says_nothing_of_where_it_was_made(name):
    text = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text and "index" not in text and " @ " not in text


def test_every_licence_that_unmask_stands_on_is_allowed(script):
    licences = script("licences")
    told = licences.licences()
    assert {"numpy", "av", "onnxruntime", "pydantic", "torch", "starlette"} <= set(told)
    assert [f"{name}: {licence}" for name, licence in told.items() if licences.refused(licence)] == []


@pytest.mark.parametrize(
    ("licence", "is_refused"),
    [
        ("MIT", False),
        ("GPL-3.0-only OR MIT", False),
        ("Apache-2.0 WITH LLVM-exception AND (MIT)", False),
        ("GPL-3.0-only", True),
        ("MIT AND LGPL-2.1-or-later", True),
        ("it does not say", True),
        ("", True),
    ],
)
def test_a_licence_that_is_not_on_the_list_is_refused(script, licence, is_refused):
    assert script("licences").refused(licence) is is_refused


def test_every_binary_that_ships_is_on_a_card_with_its_hash_and_its_licence(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    shipped = importlib.import_module("shipped")
    allowed = {"MIT", "Apache-2.0"}
    for one in shipped.binaries():
        data = (shipped.SOURCE / one.path).read_bytes()
        assert hashlib.sha256(data).hexdigest() == one.sha256 and one.licence in allowed and one.origin
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8").lower()
    assert all(name in notice for name in ("clip-probe", "quintet", "mtcnn", "centerface"))


def test_a_binary_that_no_card_names_is_noticed(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    shipped = importlib.import_module("shipped")
    shutil.copytree(shipped.SOURCE / "faces", tmp_path / "faces")
    (tmp_path / "judge" / "weights").mkdir(parents=True)
    (tmp_path / "judge" / "extra.onnx").touch()
    monkeypatch.setattr(shipped, "SOURCE", tmp_path)
    with pytest.raises(LookupError, match=r"judge/extra\.onnx"):
        shipped.binaries()
