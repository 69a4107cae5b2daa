"""Says where a module is tested.

    python tests/find_tests.py src/unmask/web/views.py
    python tests/find_tests.py      every module without a test file of its own, and where it is tested

The test file of a module is that of its name at the same place under tests/. A module without one is tested
where a test file imports it, or else through the modules that import it.
"""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE, TESTS = ROOT / "src" / "unmask", ROOT / "tests"


def modules() -> list[Path]:
    """Every module that has something to test."""
    return sorted(file for file in SOURCE.rglob("*.py") if file.name not in ("__init__.py", "__main__.py"))


def where_tested(module: Path) -> list[Path]:
    """Test files of a module, by the first of the three rules that gives any."""
    if _own(module).is_file():
        return [_own(module)]
    looked, asked = set(), {_name(module)}
    while asked:
        found = {file for file in _test_files() if asked & _imported(file)}
        if looked:  # of those that import it, their own test files count, too
            found |= {own for own in map(_own, _source_files()) if own.is_file() and _tested(own) in asked}
        if found:
            return sorted(found)
        looked |= asked
        asked = {_name(file) for file in _source_files() if asked & _imported(file)} - looked
    return []


def _own(module: Path) -> Path:
    return TESTS / module.relative_to(SOURCE).parent / f"test_{module.name}"


def _tested(own: Path) -> str:
    return _name(SOURCE / own.relative_to(TESTS).parent / own.name.removeprefix("test_"))


def _name(file: Path) -> str:
    parts = file.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _source_files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


@cache
def _test_files() -> list[Path]:
    return sorted(TESTS.rglob("test_*.py"))


@cache
def _imported(file: Path) -> frozenset[str]:
    """Modules of unmask that a file imports anywhere, also through helpers of the tests."""
    names = set(_names_in(file))
    for helper in [TESTS / f"{name}.py" for name in names if "." not in name]:
        if helper.is_file() and helper != file:
            names |= _names_in(helper)
    return frozenset(names)


@cache
def _names_in(file: Path) -> frozenset[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return frozenset(names)


def main() -> None:
    """Print what was asked for."""
    asked = [Path(one).resolve() for one in sys.argv[1:]]
    for file in asked or [file for file in modules() if not _own(file).is_file()]:
        found = ", ".join(str(one.relative_to(ROOT)) for one in where_tested(file))
        sys.stdout.write(f"{file.relative_to(ROOT)}: {found or 'nowhere'}\n")


if __name__ == "__main__":
    main()
