"""The site is built from the documents, strictly, and asks nothing of any network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("zensical")

import build
import stage

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "site"
    build.build(folder)
    return folder


def test_every_document_is_a_page(site):
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix().replace("README", "index")
        assert (site / name).is_file(), name
    assert (site / "search.json").is_file()


def test_no_page_fetches_anything_from_elsewhere(site):
    for page in site.rglob("*.html"):
        found = build.FETCHED.findall(page.read_text(encoding="utf-8"))
        assert found == [], page.name
    assert (site / "offline" / "iframe-worker.js").is_file()


def test_what_pages_link_to_outside_the_documents_comes_along(site):
    assert (site / "files" / "examples" / "serve_client.py").is_file()
    assert (site / "files" / "src" / "unmask" / "verdict.schema.json").is_file()


def test_pictures_of_notebooks_are_shown(site):
    for notebook in (ROOT / "docs" / "lab" / "notebooks").glob("*.ipynb"):
        stored = notebook.read_text(encoding="utf-8").count('"image/png"')
        page = (site / "lab" / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        assert len(re.findall(rf'src="{notebook.stem}_[\d_]+\.png"', page)) == stored


@pytest.mark.parametrize("link", ["nowhere.md", "serve.md#nothing-of-this-name", "../nowhere.py"])
def test_a_link_that_leads_nowhere_ends_the_build(tmp_path, monkeypatch, link):
    (tmp_path / "docs").mkdir()
    (tmp_path / "website").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# Home\n\n[a]({link}) [b](serve.md)\n", encoding="utf-8")
    (tmp_path / "docs" / "serve.md").write_text("# Serve\n", encoding="utf-8")
    (tmp_path / "website" / "offline").mkdir()
    config = '[project]\nsite_name = "x"\nuse_directory_urls = false\nnav = ["index.md", "serve.md"]\n'
    config += "[project.theme]\nfont = false\n"
    (tmp_path / "website" / "zensical.toml").write_text(config, encoding="utf-8")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "HERE", tmp_path / "website")
    with pytest.raises(SystemExit, match=r"does not exist|leads nowhere"):
        build.build(tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_a_file_that_a_page_names_must_be_there(tmp_path):
    (tmp_path / "b.html").touch()
    page = tmp_path / "a.html"
    page.write_text('<a href="b.html#x"></a><img alt="" src="./c.png">', encoding="utf-8")
    with pytest.raises(SystemExit, match=r"a\.html: leads nowhere: \./c\.png"):
        build.check_files(tmp_path)
    (tmp_path / "c.png").touch()
    build.check_files(tmp_path)


def test_a_page_that_fetches_is_refused(tmp_path):
    (tmp_path / "a.html").write_text('<img alt="x" src="https://example.org/a.png">', encoding="utf-8")
    with pytest.raises(SystemExit, match=r"must fetch nothing, got https://example\.org/a\.png"):
        build.make_offline(tmp_path)


def test_links_out_of_the_documents_are_led_to_copies(tmp_path):
    for name, text in {
        "docs/lab/a.md": "[x](../../recipes/r.toml) [y](../../NOTES.md#head) [z](b.ipynb) [w](https://x.org)",
        "docs/lab/b.ipynb": '{"cells": []}',
        "recipes/r.toml": "x = 1",
        "NOTES.md": "# Head\n\n[r](recipes/r.toml) [readme](README.md) [a](docs/lab/a.md#x)",
        "README.md": "# Top",
        "docs/index.md": "# Home",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    stage.stage(tmp_path, tmp_path / "out")
    page = (tmp_path / "out" / "lab" / "a.md").read_text(encoding="utf-8")
    assert page == "[x](../files/recipes/r.toml) [y](../files/NOTES.md#head) [z](b.md) [w](https://x.org)"
    notes = (tmp_path / "out" / "files" / "NOTES.md").read_text(encoding="utf-8")
    assert notes == "# Head\n\n[r](recipes/r.toml) [readme](../index.md) [a](../lab/a.md#x)"


def test_tables_of_notebooks_move_by_themselves_on_a_narrow_screen(site):
    page = (site / "lab" / "notebooks" / "1_look.html").read_text(encoding="utf-8")
    tables = page.count('class="dataframe"')
    assert tables
    assert (
        len(
            re.findall(
                r'<div style="overflow-x: auto">\s*(?:<p>)?\s*<div>.*?class="dataframe"', page, re.DOTALL
            )
        )
        == tables
    )
