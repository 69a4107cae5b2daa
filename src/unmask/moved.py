"""Old names of modules that have moved; each works for one version more, and says its new name.

A finder stands before Python's own, since a package under its old name would otherwise be searched in its new
folder, and its modules loaded a second time. It knows names alone: nothing is imported before somebody asks.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType

_ROOMS = (
    "crops",
    "datasets",
    "evaluate",
    "extract",
    "facebench",
    "forge",
    "models",
    "submit",
    "train",
    "zoo",
)
MOVED = {f"unmask.{room}": f"unmask.lab.{room}" for room in _ROOMS} | {
    "unmask.report.players": "unmask.lab.pages.players",
    "unmask.report.scan": "unmask.report",
    "unmask.report.side_by_side": "unmask.lab.pages.mosaic",
}
"""Old name by new name, with all that lies in it."""


class OldNames:
    """Finds modules by the names that they had, as an entry of `sys.meta_path`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """How a module is loaded; None unless it has moved."""
        return None if _old_part(fullname) is None else ModuleSpec(fullname, self)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python to make a module, which `exec_module` puts the real one in place of."""

    def exec_module(self, module: ModuleType) -> None:
        """Load it by its new name, and warn whoever imports it."""
        name = module.__name__
        old = _old_part(name)
        assert old is not None
        text = f"{old} is {MOVED[old]} now; the old name goes with the next version"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        sys.modules[name] = import_module(MOVED[old] + name.removeprefix(old))


def know_old_names() -> None:
    """Let old names work from now on."""
    if not any(isinstance(finder, OldNames) for finder in sys.meta_path):
        sys.meta_path.insert(0, OldNames())


def _old_part(name: str) -> str | None:
    """The part of a name that has another now; None where no part has."""
    if not name.startswith("unmask."):
        return None
    return next((old for old in MOVED if name == old or name.startswith(f"{old}.")), None)
