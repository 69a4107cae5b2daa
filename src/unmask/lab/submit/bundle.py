"""A folder from which a submission can be made without a network: wheels, weights, a notebook.

The core of unmask needs no torch, so that the folder stays small. Wheels come from pip; that of unmask itself
is packed from what is installed, so that the bundle does just what was tried here.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from unmask.errors import DataError, ModelError
from unmask.judge.card import card_path, read_card, read_weights, write_card

LIMIT_BYTES = 10**9
PACKAGE = Path(__file__).parents[2]
NOTEBOOK = "submit.ipynb"
_LEFT_OUT = {"__pycache__"}
_WHEEL = b"Wheel-Version: 1.0\nGenerator: unmask\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write_bundle(
    folder: Path, *, model: str | None = None, python: str | None = None, platform: str | None = None
) -> int:
    """Fill a new folder.

    Args:
        folder: Must not be there yet, or be empty.
        model: Card of the model; None takes the shipped one, which lies in the wheel.
        python: Version that will run it, such as ``3.12``; None is this one.
        platform: Wheel platform that will run it, such as ``manylinux_2_28_x86_64``; None is this one.

    Returns:
        Bytes in the folder.

    Raises:
        DataError: The folder holds something, pip finds no wheels, or the bundle is larger than the limit.
        ModelError: The model cannot be read.
    """
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder} must be a new or empty folder; choose another one")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unmask-bundle-", dir=folder.parent) as name:
        draft = Path(name) / folder.name
        wheels = draft / "wheels"
        wheels.mkdir(parents=True)
        _pack_unmask(wheels)
        _download(wheels, _pins(), python=python, platform=platform)
        card_name = _copy_model(draft, model)
        (draft / NOTEBOOK).write_text(_notebook(card_name), encoding="utf-8")
        (draft / "README.md").write_text(_README, encoding="utf-8")
        size = sum(file.stat().st_size for file in draft.rglob("*") if file.is_file())
        if size > LIMIT_BYTES:
            raise DataError(f"a bundle may have {LIMIT_BYTES} bytes, got {size}")
        if folder.exists():
            folder.rmdir()
        draft.chmod(0o755)
        draft.rename(folder)
    return size


def _pack_unmask(wheels: Path) -> None:
    """A wheel of unmask as it is installed here, also when that is a source tree."""
    try:
        installed = distribution("unmask")
    except PackageNotFoundError as error:
        raise DataError("a bundle needs unmask to be installed; use pip install") from error
    version = installed.version
    info = f"unmask-{version}.dist-info"
    members = {f"unmask/{name}": data for name, data in _package_files()}
    for name in ("METADATA", "entry_points.txt"):
        members[f"{info}/{name}"] = (installed.read_text(name) or "").encode()
    members[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: unmask\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    for name, data in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow([name, f"sha256={digest}", len(data)])
    rows.writerow([f"{info}/RECORD", "", ""])
    members[f"{info}/RECORD"] = record.getvalue().encode()
    path = wheels / f"unmask-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in members.items():
            wheel.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def _package_files() -> Iterator[tuple[str, bytes]]:
    for file in sorted(PACKAGE.rglob("*")):
        if file.is_file() and not _LEFT_OUT & set(file.parts) and not file.name.startswith("."):
            yield file.relative_to(PACKAGE).as_posix(), file.read_bytes()


def _pins() -> list[str]:
    """What unmask needs, and what that needs, each in the version that is installed here."""
    found: dict[str, str] = {}
    todo = ["unmask"]
    while todo:
        name = todo.pop()
        try:
            package: Distribution = distribution(name)
        except PackageNotFoundError:  # for another system or Python
            continue
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        found[key] = f"{key}=={package.version.partition('+')[0]}"
        for line in package.requires or ():
            if "extra ==" not in line:
                todo.append(re.split(r"[\s;<>=!~\[(]", line.strip(), maxsplit=1)[0])
    del found["unmask"]
    return sorted(found.values())


def _download(wheels: Path, pins: list[str], *, python: str | None, platform: str | None) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-deps", "--dest", str(wheels)]
    command += [] if python is None else ["--python-version", python]
    command += [] if platform is None else ["--platform", platform]
    found = subprocess.run([*command, *pins], capture_output=True, text=True, check=False)
    if found.returncode:
        problem = (found.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise DataError(f"pip found no wheels for the bundle ({problem}); is there a network?")


def _copy_model(draft: Path, model: str | None) -> str | None:
    if model is None:
        return None
    path = card_path(model)
    card = read_card(path)
    data = read_weights(card, path.parent)
    if not data:
        raise ModelError(f"{path}: the weights are empty")
    folder = draft / "model"
    folder.mkdir()
    (folder / card.file).write_bytes(data)
    write_card(card, folder / path.name)
    shutil.copymode(path, folder / path.name)
    return path.name


def _notebook(card_name: str | None) -> str:
    model = f" --model {{BUNDLE}}/model/{card_name}" if card_name else ""
    cells = [
        "BUNDLE = '/kaggle/input/unmask-bundle'  # where this folder is mounted\n"
        "TEST = '/kaggle/input/deepfake-detection-challenge/test_videos'",
        "!pip install --quiet --no-index --find-links {BUNDLE}/wheels unmask",
        f"!unmask submit {{TEST}} -o submission.csv --budget 8h30m{model}",
        "!head submission.csv",
    ]
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
            "cells": [
                {
                    "id": f"cell{number}",
                    "cell_type": "code",
                    "execution_count": None,
                    "metadata": {},
                    "outputs": [],
                    "source": source.splitlines(keepends=True),
                }
                for number, source in enumerate(cells)
            ],
        },
        indent=1,
    )


_README = """# unmask, offline

Everything that a submission to the DeepFake Detection Challenge needs, without a network:

- `wheels/`: unmask and what it needs, for one version of Python and one platform
- `model/`: weights with their card, when they are not the shipped ones
- `submit.ipynb`: installs from `wheels/` and writes `submission.csv`

On Kaggle: upload this folder as a data set, attach it to the notebook, and set BUNDLE and TEST in the first
cell.
"""
