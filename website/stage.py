"""Lays the documents out for the site.

What a page links to outside ``docs/`` comes along, and notebooks become pages.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_SKIPPED = shutil.ignore_patterns("__pycache__", "*.py", ".ipynb_checkpoints")


def stage(root: Path, target: Path) -> None:
    """Copy ``docs/`` into a folder, with all that its pages link to in the repository.

    Args:
        root: The repository.
        target: Where the pages go; must not exist.
    """
    docs = root / "docs"
    shutil.copytree(docs, target, ignore=_SKIPPED)
    for notebook in sorted(target.rglob("*.ipynb")):
        notebook.with_suffix(".md").write_text(notebook_page(notebook), encoding="utf-8")
    pages = {page: docs / page.relative_to(target) for page in sorted(target.rglob("*.md"))}
    staging = Staging(root, target, pages)
    while pages:
        staging.lead_links(*pages.popitem())


@dataclass(frozen=True)
class Staging:
    """Pages whose links are still to be led to where things lie on the site.

    Attributes:
        root: The repository.
        target: Where the site's pages lie.
        pages: Each such page, and what it was copied from; those that come along are added.
    """

    root: Path
    target: Path
    pages: dict[Path, Path]

    def lead_links(self, page: Path, source: Path) -> None:
        """Write a page's links anew, and bring along what they lead to."""
        text = page.read_text(encoding="utf-8")
        page.write_text(
            LINK.sub(lambda found: found[1] + self.led(found[2], page, source) + found[3], text),
            encoding="utf-8",
        )

    def led(self, link: str, page: Path, source: Path) -> str:
        """Where a link leads on the site; one that leads nowhere stays, and the build refuses it."""
        path, hash_sign, heading = link.partition("#")
        if not path or "://" in path or path.startswith("mailto:"):
            return link
        file, docs = (source.parent / path).resolve(), self.root / "docs"
        if file.is_relative_to(docs) and file.suffix != ".py":
            inner = self.target / file.relative_to(docs) / ("README.md" if file.is_dir() else "")
            inner = inner.with_suffix(".md") if inner.suffix == ".ipynb" else inner
            return _relative(inner, page) + hash_sign + heading
        if not file.is_relative_to(self.root) or not file.exists():
            return link
        return self.bring(file, page) + hash_sign + heading

    def bring(self, file: Path, page: Path) -> str:
        """Bring a file of the repository along, and say how a page links to it."""
        if file == self.root / "README.md":
            return _relative(self.target / "index.md", page)
        file = file / "README.md" if file.is_dir() else file
        copy = self.target / "files" / file.relative_to(self.root)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
            if copy.suffix == ".md":
                self.pages[copy] = file
        return _relative(copy, page)


def _relative(file: Path, page: Path) -> str:
    up = "../" * len(page.parent.relative_to(_common(file, page)).parts)
    return up + file.relative_to(_common(file, page)).as_posix()


def _common(file: Path, page: Path) -> Path:
    return next(parent for parent in page.parents if file.is_relative_to(parent))


def notebook_page(notebook: Path) -> str:
    """A notebook with its stored outputs as Markdown; its pictures become files beside it."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    lines: list[str] = []
    for number, cell in enumerate(cells):
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            lines += [text, ""]
            continue
        lines += ["```python", text, "```", ""]
        for place, output in enumerate(cell.get("outputs", [])):
            lines += _output(output, notebook, f"{notebook.stem}_{number}_{place}")
    return "\n".join(lines)


def _output(output: dict[str, object], notebook: Path, name: str) -> list[str]:
    data = output.get("data", {})
    assert isinstance(data, dict)
    for kind, suffix in (("image/png", "png"), ("image/jpeg", "jpg")):
        if kind in data:
            picture = notebook.with_name(f"{name}.{suffix}")
            picture.write_bytes(base64.b64decode("".join(data[kind])))
            return [f"![What the cell above shows]({picture.name})", ""]
    if "text/html" in data:
        # A table may be wider than a phone, and is then moved by itself.
        return ['<div style="overflow-x: auto">', "".join(data["text/html"]), "</div>", ""]
    text = output.get("text") or data.get("text/plain") or []
    assert isinstance(text, list | str)
    return ["```text", "".join(text).rstrip("\n"), "```", ""]
