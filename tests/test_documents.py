"""Figures of the documents come from measurements that are kept, and say when their weights ship no more."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from unmask.judge.card import card_path, read_card

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "benchmarks" / "documents.py"
MODULES = (
    "archive",
    "attack",
    "documents",
    "evaluation",
    "extract",
    "faces",
    "long",
    "manual",
    "marks",
    "models",
    "pipeline",
    "shipped",
    "tables",
    "weights",
)
DOCUMENTS = ("lab/evaluation", "performance", "models", "faces", "long-videos", "lab/peers", "report")
STORED = ("lab/evaluation", "performance", "models", "long", "montages")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    found = importlib.import_module("documents")
    yield found
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("images", "notebooks"))
    shutil.copy(ROOT / "README.md", tmp_path)
    return tmp_path


def hashes(found):
    """Every SHA-256 in what was kept."""
    parts = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    mine = {found} if isinstance(found, str) and re.fullmatch("[0-9a-f]{64}", found) else set()
    return mine.union(*map(hashes, parts))


PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings_that_are_there(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, heading = target.partition("#")
        if path.startswith(("https:", "http:")):
            continue
        file = page.parent / path if path else page
        assert file.exists(), target
        if heading:
            heads = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
            assert heading in anchors, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_of_the_repository_that_a_page_names_are_there(page):
    named = r"`((?:src|docs|tests|recipes|benchmarks|examples)/[\w./-]+\.(?:py|md|json|toml|ipynb))`"
    for path in re.findall(named, page.read_text(encoding="utf-8")):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("word", sorted((ROOT / "src" / "unmask").iterdir()), ids=lambda word: word.name)
def test_architecture_knows_every_room(word):
    if word.is_dir() and word.name != "__pycache__":
        assert f"{word.name}/" in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_document_shows_what_was_measured():
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_figure_that_was_typed_is_noticed(script, copy):
    page = copy / "docs" / "lab" / "evaluation.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("an AUC of 0.", "an AUC of 1."), encoding="utf-8")
    assert script.write(copy) == ["docs/lab/evaluation.md"]
    assert page.read_text(encoding="utf-8") == text


def test_the_manual_page_knows_every_command(script, copy):
    text = script.manual.page().replace("\\-", "-")
    for told in (
        ".SS unmask scan",
        ".SS unmask data index",
        ".SS unmask doctor",
        "--report",
        "--sandbox MODE",
    ):
        assert told in text
    assert "[bold]" not in text
    (copy / script.manual.MANUAL).write_text("of an older version", encoding="utf-8")
    assert script.write(copy) == [str(script.manual.MANUAL)]


@pytest.mark.parametrize("name", STORED)
def test_what_is_kept_names_weights_that_shipped(script, name):
    known = {one["sha256"] for one in script.weights.releases()}
    assert read_card(card_path()).sha256 in known
    kept = hashes(json.loads((ROOT / "docs" / f"{name}.json").read_text(encoding="utf-8")))
    assert kept and kept <= known


def test_new_weights_make_every_document_say_that_it_shows_older_ones(script, copy, monkeypatch):
    measured = json.loads((ROOT / "docs" / "lab" / "evaluation.json").read_text(encoding="utf-8"))
    monkeypatch.setattr(script.weights, "shipped_sha256", lambda: next(iter(hashes(measured))))
    script.write(copy)
    monkeypatch.setattr(script.weights, "shipped_sha256", lambda: "0" * 64)
    changed = script.write(copy)
    assert {"docs/lab/evaluation.md", "docs/performance.md"} <= set(changed)
    for name in ("lab/evaluation", "performance", "models"):
        opening = (copy / "docs" / f"{name}.md").read_text(encoding="utf-8").partition("\n## ")[0]
        assert re.search("[oO]lder\\s+weights", opening), name
    for around in (script.MARKS, script.long.MARKS):
        assert "older weights" in script.between(copy / "docs" / "performance.md", around)


def test_one_face_among_many_needs_what_the_document_says(script):
    card = read_card(card_path())
    limit, judge = card.thresholds.fake_at_least, card.calibration.among_many
    told = [float(number) for number in re.findall(r"([01]\.\d+) among", script.montages.alone())]
    assert len(told) == 2
    for needed, shots in zip(told, script.montages.SHOTS, strict=True):
        others = [0.01] * (shots - 1)
        assert judge([needed - 2e-4, *others]) < limit <= judge([min(needed + 2e-4, 1.0), *others])


def test_what_is_promised_in_prose_is_what_the_card_says():
    alarms = read_card(card_path()).scores["false_alarms_on_strangers_video"].value
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    promised = re.findall(r"[aA]bout (\d+) (?:% of the real clips|of 100 cases)", readme)
    assert promised == [f"{100 * alarms:.0f}"] * 2


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_opens_with_a_figure_that_was_typed(name):
    opening = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8").partition("\n## ")[0]
    typed = re.sub("<!-- (\\w+): begin -->.*?<!-- \\1: end -->", "", opening, flags=re.DOTALL)
    typed = re.sub("```.*?```|^    .*?$|`[^`]*`", "", typed, flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"\d+\.\d+|\d+ %", typed) == []


def test_weights_that_ship_for_the_first_time_are_listed_and_stand_beside_those_before(
    script, tmp_path, monkeypatch
):
    card, known = read_card(card_path()), script.weights.releases()
    older = [one for one in known if one["sha256"] != card.sha256]
    kept = tmp_path / "weights.json"
    kept.write_text(json.dumps(older), encoding="utf-8")
    monkeypatch.setattr(script.weights, "RELEASES", kept)
    assert "which never shipped" in script.weights.title(card.sha256)
    script.weights.add_release()
    script.weights.add_release()
    assert script.weights.releases() == [*older, known[-1]]
    table, before = script.weights.scores_table(), older[-1]
    assert f"before: {before['name']} {before['version']} |" in table
    shown = [key for key in script.weights.ROWS if key in card.scores]
    assert shown and len(table.splitlines()) == len(shown) + 2
    rows = dict(zip(shown, table.splitlines()[2:], strict=True))
    for key in [key for key in shown if key.endswith(("auc", "log_loss"))]:
        assert f"| {card.scores[key].value:.2f} | " in rows[key]
        assert key not in before["scores"] or rows[key].endswith(f"| {before['scores'][key]:.2f} |")
