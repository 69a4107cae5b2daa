"""A detector's settings in a TOML file, as ``unmask tune`` writes it and ``unmask scan`` takes it.

```toml
[detect]
thresholds = [0.7, 0.7, 0.7]

[track]
policy = "living_first"
```
"""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from unmask.config import DetectSettings, TrackSettings
from unmask.errors import SettingsError
from unmask.files import read_toml, write_whole

_TABLES: dict[str, Any] = {"detect": DetectSettings, "track": TrackSettings}


def read_detector_file(file: Path | None) -> tuple[DetectSettings, TrackSettings]:
    """Read and check a file of detector settings; what it leaves out has its default, and so has no file.

    Raises:
        SettingsError: It cannot be read, is no TOML, or a key or value breaks a rule; the message says which.
    """
    if file is None:
        return DetectSettings(), TrackSettings()
    tables = read_toml(file)
    try:
        for name in tables:
            if name not in _TABLES:
                raise SettingsError(f"unknown table [{name}]; choose from: {', '.join(_TABLES)}")
        detect, track = (_settings(name, tables.get(name, {})) for name in _TABLES)
    except SettingsError as error:
        raise SettingsError(f"{file}: {error}") from error
    return detect, track


def write_detector_file(
    file: Path, detect: DetectSettings, track: TrackSettings, *, comment: str = ""
) -> None:
    """Write settings that `read_detector_file` reads back, whole or not at all.

    Args:
        file: Where to.
        detect: All of it is written.
        track: All of it is written.
        comment: Lines for the head of the file: what was measured, and how.

    Raises:
        OSError: It cannot be written.
    """
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    for name, settings in (("detect", detect), ("track", track)):
        lines += ["", f"[{name}]"]
        lines += [f"{key} = {_toml(value)}" for key, value in asdict(settings).items()]
    write_whole(file, "\n".join(lines).lstrip("\n") + "\n")


def _settings(name: str, table: object) -> Any:
    kind = _TABLES[name]
    known = [item.name for item in fields(kind)]
    if not isinstance(table, dict):
        raise SettingsError(f"{name} must be a table, [{name}], got {table!r}")
    for key in table:
        if key not in known:
            raise SettingsError(f"[{name}] has an unknown key {key!r}; choose from: {', '.join(known)}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    for key, value in values.items():
        _check_kind(name, key, value, getattr(kind(), key))
    return kind(**values)


def _check_kind(table: str, key: str, value: object, default: object) -> None:
    """A whole number may stand for a fraction; nothing else may stand for something else."""
    wanted = (int, float) if isinstance(default, float) else type(default)
    fits = isinstance(value, wanted) and (isinstance(value, bool) == isinstance(default, bool))
    if fits and isinstance(value, tuple):
        fits = all(isinstance(part, int | float) and not isinstance(part, bool) for part in value)
    if not fits:
        kind = {float: "a number", int: "a whole number", str: "a text", tuple: "a list of numbers"}
        name = kind.get(type(default), type(default).__name__)
        raise SettingsError(f"[{table}] {key} must be {name}, got {value!r}")


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(part) for part in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)
