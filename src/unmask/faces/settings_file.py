"""A detector's settings in a TOML file, as ``unmask tune`` writes it and ``unmask scan`` takes it.

```toml
[detect]
thresholds = [0.7, 0.7, 0.7]

[track]
policy = "living_first"
```
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from unmask.config import DetectSettings, TrackSettings
from unmask.errors import SettingsError
from unmask.files import read_toml, write_whole
from unmask.tables import build_settings


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
            if name not in ("detect", "track"):
                raise SettingsError(f"unknown table [{name}]; choose from: detect, track")
        detect = build_settings(DetectSettings, tables.get("detect", {}), where="[detect]")
        track = build_settings(TrackSettings, tables.get("track", {}), where="[track]")
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


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(part) for part in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)
