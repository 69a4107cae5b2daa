"""The pages of reference tell what the code is, and are made anew with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("pandas")

import of_rest
import prose
import references
import unmask

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made():
    return references.make_pages()


def test_every_page_is_as_the_code_is(made):
    assert references.older(ROOT / "docs", made) == [], "run python website/references.py"


def test_a_page_that_was_changed_by_hand_is_named(made, tmp_path):
    assert references.older(tmp_path, made) == list(references.PAGES)
    for name, text in made.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        own = text.replace("## clip-probe", "## clip probe")
        (tmp_path / name).write_text(own, encoding="utf-8")
    assert references.older(tmp_path, made) == ["cards.md"]


def test_every_public_name_has_its_place(made):
    page = made["reference/python.md"]
    for name in unmask.__all__:
        assert name == "__version__" or page.count(f"### unmask.{name}\n") == 1, name


def test_options_stand_with_their_defaults(made):
    page = made["reference/commands.md"]
    scan = page.partition("## unmask scan\n")[2].partition("\n## ")[0]
    assert "| `--frames N` | `30` |" in scan and "| `--json` |  |" in scan
    assert "unmask scan --from 41:30 --to 43:00 film.mkv\n" in scan


def test_every_field_of_a_verdict_is_told_with_what_it_is(made):
    schema = json.loads((Path(unmask.__file__).parent / "verdict.schema.json").read_text(encoding="utf-8"))
    page = made["reference/json.md"]
    for part in [schema, *schema["$defs"].values()]:
        for name in part.get("properties", {}):
            assert f"| `{name}` | " in page, name
    assert "[PersonFrame](#verdict-personframe)" in page


def test_every_route_is_told(made):
    page = made["reference/rest.md"]
    for path, operations in of_rest.description()["paths"].items():
        for method in operations:
            assert f"## {method.upper()} {path}\n" in page


def test_a_docstring_becomes_prose_code_and_tables():
    told = prose.markdown(
        """Grow a box; ``x`` is *not* moved.

        >>> grow(1)
        2

        Args:
            box: ``x0 y0``, in pixels
                of the frame.
            by: How much | how far.

        Returns:
            The grown box.
        """
    )
    assert "`x` is \\*not\\* moved" in told and "```pycon\n>>> grow(1)\n2\n```" in told
    assert "| `box` | `x0 y0`, in pixels of the frame. |\n| `by` | How much \\| how far. |" in told
    assert told.endswith("**Returns.** The grown box.")
