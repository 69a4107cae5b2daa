"""The README's test command is what CI runs, so it cannot rot."""

import importlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_the_readme_has_one_test_command_and_ci_takes_it_from_there():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (pattern,) = re.findall(r"grep -E '(.+)' README\.md", script)
    commands = re.findall(pattern, (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 1
    assert "[test]" in commands[0]


@pytest.fixture
def lowest(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / ".ci"))
    yield importlib.import_module("lowest").lowest_versions
    sys.modules.pop("lowest", None)


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
