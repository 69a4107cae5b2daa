"""Who reads each kind of file in unmask: what one raises on purpose is an answer, all else a fault."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from hostile.corpus import Kind
from hostile.mutate import mutate
from tiny_model import card_values

TIME_LIMIT_SECONDS = 20.0


def try_one(kind: Kind, seed: int, folder: Path) -> str:
    """Damage a file and read it.

    Returns:
        ``read`` when it could be read all the same, ``refused`` when an error said what is wrong.

    Raises:
        Exception: Whatever nobody raised on purpose, or an error without words.
    """
    from unmask.errors import UnmaskError

    file = folder / kind.name
    file.write_bytes(mutate(kind.data, seed, text=kind.text))
    reader = _READERS.get(kind.name, _media)
    try:
        reader(file)
    except UnmaskError as error:
        told = str(error)
        if not told.strip() or ("\n" in told.strip() and reader is _media):
            raise AssertionError(f"an error must say in a line what is wrong, got {told!r}") from error
        return "refused"
    return "read"


def _media(file: Path) -> None:
    from unmask.config import DecodeSettings
    from unmask.video import read_clip
    from unmask.video.facts import read_facts

    settings = DecodeSettings(frames=6, time_limit_seconds=TIME_LIMIT_SECONDS, max_pixels=1 << 22)
    clip = read_clip(file, settings)
    for frame in clip.frames:
        frame.picture.rgb()
    read_facts(file, "f" * 64, settings)


def _card(file: Path) -> None:
    from unmask.judge.card import read_card

    read_card(file)


def _net(file: Path) -> None:
    """As of somebody who made a card that fits."""
    from unmask.judge.score import load_model

    found = hashlib.sha256(file.read_bytes()).hexdigest()
    card = file.with_suffix(".json")
    card.write_text(json.dumps(card_values(sha256=found, file=file.name)))
    load_model(card)


def _verdict(file: Path) -> None:
    from unmask.judge.stored import read_verdict

    str(read_verdict(file.read_bytes()))


def _recipe(file: Path) -> None:
    from unmask.lab.train.recipe import read_recipe

    read_recipe(file)


def _detector(file: Path) -> None:
    from unmask.faces.settings_file import read_detector_file

    read_detector_file(file)


def _safetensors(file: Path) -> None:
    from unmask.lab.zoo.tensors import read_safetensors

    read_safetensors(file)


def _pickled(file: Path) -> None:
    from unmask.lab.zoo.tensors import read_pickled

    read_pickled(file)


def _scans(file: Path) -> None:
    from unmask.web.store import Store

    with contextlib.suppress(OSError), closing(Store(file.parent)) as store:
        store.recover()
        for row in store.find(search="a"):
            store.verdict(row.id)


def _samples(file: Path) -> None:
    from unmask.lab.crops.shards import check_shards, read_index

    check_shards(file.parent, read_index(file.parent))


def _tar(file: Path) -> None:
    from unmask.lab.crops.samples import parse_sample
    from unmask.lab.crops.shards import CropReader
    from unmask.lab.crops.stream import StreamedPeople

    folder = file.parent / "streamed"
    folder.mkdir(exist_ok=True)
    lines = (file.parent / "sound.jsonl").read_text().splitlines()
    (folder / "index.jsonl").write_text("\n".join(_without_sums(line) for line in lines) + "\n")
    (folder / "photos-00000.tar").write_bytes(file.read_bytes())
    reader = CropReader(folder)
    errors = []
    for line in lines:
        sample = parse_sample(json.loads(_without_sums(line)))
        for number in range(len(sample)):
            try:
                reader.read(sample, number)
            except ValueError as error:
                errors.append(error)
    list(StreamedPeople(folder))
    if errors:
        raise errors[0]


def _without_sums(line: str) -> str:
    """As earlier versions wrote it, so that pictures are decoded whatever they are."""
    plain = json.loads(line)
    del plain["sums"]
    return json.dumps(plain)


def _manifest(file: Path) -> None:
    from unmask.lab.extract.manifest import count_manifest, read_manifest

    read_manifest(file.parent)
    count_manifest(file.parent)


def _sums(file: Path) -> None:
    from unmask.lab.crops.sums import check_sums

    check_sums(file.parent)


def _table(file: Path) -> None:
    from unmask.lab.datasets.video_index import read_index_file

    read_index_file(file)


def _audit(file: Path) -> None:
    from unmask.lab.datasets.audit_file import read_audit, read_links

    read_audit(file)
    read_links(file)


_READERS: dict[str, Callable[[Path], None]] = {
    "card.json": _card,
    "net.onnx": _net,
    "verdict.json": _verdict,
    "recipe.toml": _recipe,
    "detector.toml": _detector,
    "weights.safetensors": _safetensors,
    "weights.pt": _pickled,
    "scans.sqlite3": _scans,
    "index.jsonl": _samples,
    "crops.tar": _tar,
    "manifest.jsonl": _manifest,
    "sha256.txt": _sums,
    "videos.parquet": _table,
    "videos.csv": _table,
    "audit.json": _audit,
}
