"""Every module is tested somewhere, and where is easily found: what CONTRIBUTING promises."""

from __future__ import annotations

from find_tests import ROOT, SOURCE, TESTS, modules, where_tested

PACKAGES = {file.parent.relative_to(SOURCE) for file in SOURCE.rglob("__init__.py")}


def test_every_module_is_tested_somewhere():
    assert [file.relative_to(SOURCE).as_posix() for file in modules() if not where_tested(file)] == []


def test_the_file_of_its_name_comes_first_then_who_imports_it_then_who_imports_those():
    def found(name):
        return [file.relative_to(TESTS).as_posix() for file in where_tested(SOURCE / name)]

    assert found("faces/track.py") == ["faces/test_track.py"]
    assert "web/test_site.py" in found("web/views.py")
    assert "lab/datasets/test_compare.py" not in found("web/views.py")
    assert found("cli/limits.py")


def test_tests_lie_where_what_they_test_lies():
    folders = {file.parent.relative_to(TESTS) for file in TESTS.rglob("test_*.py")}
    beside = {
        "contracts",
        "hostile",
        "recipes",
        "references",
        "website",
    }  # what no single package is answerable for
    assert {folder for folder in folders if folder.parts[:1] not in [(name,) for name in beside]} <= PACKAGES


def test_the_guide_says_how_to_find_them():
    assert "tests/find_tests.py" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
