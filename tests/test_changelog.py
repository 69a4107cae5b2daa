"""The changelog is in the form of Keep a Changelog, and knows the version that is built."""

import re
from datetime import date
from pathlib import Path

from unmask.version import __version__

TEXT = (Path(__file__).resolve().parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def test_versions_stand_newest_first_and_the_one_that_is_built_stands_on_top():
    headings = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    found = [
        re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)", heading) for heading in headings[1:]
    ]
    assert all(found), headings
    numbers = [tuple(map(int, one.groups()[:3])) for one in found]
    days = [date.fromisoformat(one[4]) for one in found]
    assert numbers == sorted(numbers, reverse=True)
    assert days == sorted(days, reverse=True)
    assert ".".join(map(str, numbers[0])) == __version__


def test_each_version_has_the_kinds_of_changes_in_their_order():
    for part in TEXT.split("\n## ")[1:]:
        kinds = re.findall(r"^### (.+)$", part, re.MULTILINE)
        assert kinds == [kind for kind in KINDS if kind in kinds], part.partition("\n")[0]
