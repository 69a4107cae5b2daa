"""What asks for a package names an extra that brings it, in errors and in the headers of scripts."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SPELT = {
    "cv2": "opencv-python-headless",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "dlib": "dlib-bin",
}
INSTALL = re.compile(r"pip install[^\n`]*?\.\[([\w,]+)\]([^\n`]*)")


def packages(extras):
    """Names of what these extras bring, with those of every install."""
    todo = list(PROJECT["dependencies"])
    for extra in extras:
        todo += PROJECT["optional-dependencies"][extra]
    found = set()
    for one in todo:
        if inner := re.match(r"unmask\[([\w,]+)\]", one):
            found |= packages(inner[1].split(","))
        found.add(re.split(r"[\[<>=~!; ]", one)[0])
    return found


def imported(file):
    """Packages that a script itself imports, as they are installed; torch for ``unmask.lab.train``."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        for name in names:
            top = name.partition(".")[0]
            if name.startswith("unmask.lab.train"):
                yield "torch"
            elif (
                top not in sys.stdlib_module_names | {"unmask"} and not (file.parent / f"{top}.py").is_file()
            ):
                yield SPELT.get(top, top)


def asked():
    for file in (ROOT / "src").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for package, extra in re.findall(r'MissingExtraError\([^"()]*"([\w-]+)",\s*extra="(\w+)"', text):
            yield file.name, package, extra


@pytest.mark.parametrize(("file", "package", "extra"), sorted(asked()))
def test_an_error_names_an_extra_that_brings_the_package(file, package, extra):
    brought = packages([extra])
    assert (
        package.replace("_", "-") in {one.replace("_", "-") for one in brought} or f"{package}-bin" in brought
    )


@pytest.mark.parametrize("file", sorted((ROOT / "recipes").glob("*.py")), ids=lambda file: file.name)
def test_a_recipes_script_runs_with_what_its_header_or_the_document_installs(file):
    header = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    found = INSTALL.search(header)
    if found is None:
        found = INSTALL.search((ROOT / "docs" / "lab" / "recipes.md").read_text(encoding="utf-8"))
    extras, beside = found.groups()
    brought = packages(extras.split(",")) | set(beside.replace("'", " ").split())
    assert set(imported(file)) <= brought


@pytest.mark.parametrize("file", sorted((ROOT / "docs").rglob("*.md")), ids=lambda file: file.name)
def test_documents_install_extras_that_there_are(file):
    for extras, _ in INSTALL.findall(file.read_text(encoding="utf-8")):
        assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])


@pytest.mark.parametrize(
    ("document", "command", "extra"),
    [
        ("lab/evaluation.md", "unmask evaluate", "data"),
        ("lab/faces.md", "unmask data facebench", "tune"),
        ("long-videos.md", "unmask data montage", "data"),
        ("lab/peers.md", "unmask evaluate", "peers"),
        ("lab/present.md", "unmask present", "data"),
        ("lab/recipes.md", "recipes/smoke_data.py", "train"),
        ("lab/data.md", "unmask data index", "data"),
        ("serve.md", "unmask serve", "web"),
        ("models.md", "unmask model get", "zoo"),
        ("archives.md", "unmask scan", "s3"),
    ],
)
def test_a_document_names_the_extra_of_its_commands(document, command, extra):
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    assert command in text and any(extra in extras.split(",") for extras, _ in INSTALL.findall(text))
