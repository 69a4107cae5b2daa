"""``unmask doctor``: what is installed and whether it works, to be pasted into a report of a fault."""

from __future__ import annotations

import json as jsonlib
import platform
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from unmask.verdicts import Verdict

_PLACES = (
    Path(__file__).parents[1] / "examples",
    Path(__file__).parents[3] / "examples",
)  # installed, in a clone
_EXPECTED = {"portrait_real.mp4": "real", "portrait_swapped.mp4": "fake"}
_SHADES = 8  # frames of the clip that is made up here


def doctor(
    clips: Annotated[
        list[Path] | None,
        typer.Argument(metavar="CLIP", help="Scan these instead of the two example clips."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The same for programs.")] = False,
) -> None:
    """Tell what is installed and whether it works; paste it into a report of a fault.

    It scans a clip that it makes up and two examples whose verdicts are known. Exit code 1 where something
    does not work.

    [bold]Examples[/bold]

    unmask doctor

    unmask doctor --json > doctor.json
    """
    from unmask.cli.running import stopping_on_errors

    with stopping_on_errors():
        found = examine(clips) if clips else examine(examples(), _EXPECTED)
    if json:
        typer.echo(jsonlib.dumps(found, indent=1))
    else:
        for line in _lines(found):
            typer.echo(line)
    if found["problems"]:
        raise typer.Exit(1)


def examples() -> list[Path]:
    """The two example clips, which the wheel brings and a clone has beside the sources."""
    return [next(filter(Path.is_file, (place / name for place in _PLACES)), Path(name)) for name in _EXPECTED]


def examine(clips: Sequence[Path], expected: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Everything that a report of a fault should hold, as plain data without names of folders.

    Args:
        clips: To be scanned beside the one that is made up.
        expected: The outcome that a scan of a clip must have, by the clip's name, where it is known.
    """
    from unmask.config import LimitSettings
    from unmask.judge.devices import available_providers
    from unmask.report.pdf import can_print
    from unmask.version import __version__
    from unmask.work.limits import memory_of
    from unmask.work.processes import default_jobs
    from unmask.work.sandbox import why_no_sandbox

    packages, weights, providers = _packages(), _weights(), available_providers()
    scans = _scans(clips)
    return {
        "unmask": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": platform.machine(),
        "jobs": default_jobs(),
        "packages": packages,
        "providers": providers,
        "plug_ins": _plug_ins(providers),
        "weights": weights,
        "sandbox": why_no_sandbox() or "whole",
        "memory_mb": memory_of(LimitSettings()),
        "chromium": can_print(),
        "faults_kept": _faults(),
        "scans": scans,
        "problems": _problems(packages, scans, weights, expected or {}),
    }


def _packages() -> dict[str, dict[str, str | None]]:
    """By extra, ``default`` first, the version of each package that it asks for, or None."""
    from importlib import metadata  # slow to load, and every command imports this module

    found: dict[str, dict[str, str | None]] = {"default": {}}
    for requirement in metadata.requires("unmask") or []:
        name = re.split(r"[\[<>=~!; ]", requirement)[0]
        extra = re.search(r"""extra\s*==\s*['"]([\w-]+)['"]""", requirement)
        if name != "unmask" and (extra is None or extra[1] != "test"):
            found.setdefault(extra[1] if extra else "default", {})[name] = _version(name)
    return found


def _version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _plug_ins(providers: Sequence[str]) -> dict[str, bool]:
    """Packages that bring onnxruntime a provider, and whether unmask can use what they bring here."""
    from unmask.judge.devices import DEVICES

    known = {device.plug.replace("_", "-"): device.provider for device in DEVICES.values() if device.plug}
    return {name: known.get(name) in providers for name in _installed() if name.startswith("onnxruntime-ep-")}


def _weights() -> str:
    from unmask.errors import ModelError
    from unmask.judge.card import card_path, read_card, read_weights

    path = card_path()
    try:
        card = read_card(path)
        read_weights(card, path.parent)
    except ModelError as error:
        return f"changed: {error}"
    return f"{card.name} {card.version}, {card.sha256[:12]}, as published"


def _faults() -> int:
    from unmask.folders import cache_folder

    try:
        return len(list((cache_folder() / "faults").glob("*.txt")))
    except (OSError, RuntimeError):  # no home, or nobody may look
        return 0


def _scans(clips: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """What a scan says of each file, by its name."""
    from unmask.batch import scan_many
    from unmask.config import BatchSettings

    with tempfile.TemporaryDirectory() as folder:
        files = [_made_up(Path(folder)), *clips]
        found = list(scan_many(files, batch=BatchSettings(jobs=1)))
    return {file.name: _told(verdict) for file, verdict in zip(files, found, strict=True)}


def _told(verdict: Verdict) -> dict[str, Any]:
    seconds = verdict.seconds.get("total")
    return {"outcome": verdict.outcome.value, "p_fake": verdict.p_fake, "seconds": seconds}


def _made_up(folder: Path) -> Path:
    """A clip without anybody in it."""
    import av
    import numpy as np

    file = folder / "made_up.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for shade in range(_SHADES):
            picture = np.full((120, 160, 3), 20 * shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file


def _problems(
    packages: dict[str, dict[str, str | None]],
    scans: dict[str, dict[str, Any]],
    weights: str,
    expected: Mapping[str, str],
) -> list[str]:
    found = [f"{name} is not installed" for name, version in packages["default"].items() if version is None]
    builds = [name for name in _installed() if re.fullmatch(r"onnxruntime(-(gpu|openvino|directml))?", name)]
    if len(builds) > 1:
        found.append(f"several builds of onnxruntime overwrite each other: {', '.join(builds)}")
    if weights.startswith("changed"):
        found.append(weights)
    made_up, *others = scans.items()
    if made_up[1]["outcome"] != "no_face":
        found.append(f"a clip without anybody must be no_face, got {made_up[1]['outcome']}")
    for name, one in others:
        if one["outcome"] in ("unreadable", "error"):
            found.append(f"{name} is {one['outcome']}")
        elif one["outcome"] != (wanted := expected.get(name, one["outcome"])):
            found.append(f"{name} must be {wanted}, got {one['outcome']}")
    return found


def _installed() -> list[str]:
    from importlib import metadata

    return sorted({str(one.metadata["Name"]).lower() for one in metadata.distributions()})


def _lines(found: dict[str, Any]) -> list[str]:
    """The same for people, in Markdown, since that is where it is pasted."""
    from unmask.cli.terminal import printable

    told = [f"unmask {found['unmask']}, Python {found['python']}, {found['system']}", ""]
    for extra, packages in found["packages"].items():
        there = [f"{name} {version}" for name, version in packages.items() if version]
        absent = [name for name, version in packages.items() if not version]
        told.append(
            f"- {extra}: {', '.join(there) or 'nothing'}" + (f"; not {', '.join(absent)}" if absent else "")
        )
    memory = f"{found['memory_mb']} MB" if found["memory_mb"] else "no limit"
    idle = [name for name, used in found["plug_ins"].items() if not used]
    told += [f"- {name} is installed, and unmask can use nothing of it on this machine" for name in idle]
    told += [
        f"- networks run on: {', '.join(found['providers'])}; {found['jobs']} files at a time",
        f"- weights: {found['weights']}",
        f"- sandbox: {found['sandbox']}; memory of a worker: {memory}",
        f"- Chromium for PDF: {'there' if found['chromium'] else 'not there'}",
        f"- faults of unmask that were kept: {found['faults_kept']}",
    ]
    for name, one in found["scans"].items():
        number = "" if one["p_fake"] is None else f" {one['p_fake']:.2f}"
        told.append(f"- scan of {name}: {one['outcome']}{number}")
    told += (
        ["", *(f"PROBLEM: {one}" for one in found["problems"])]
        if found["problems"]
        else ["", "All of it works."]
    )
    return [printable(line) for line in told]
