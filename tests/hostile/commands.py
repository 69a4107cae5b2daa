"""The commands that write, each on something tiny, and what they leave."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from labelled_clips import write_labelled
from portraits import write_clip
from tiny_model import write_tiny_model
from tiny_recipe import write_recipe
from training_data import store_people
from training_process import checkpoint
from unmask.report.case_folder import LOG, check_case

LABORATORY = ("extract", "submit", "train", "evaluate", "calibrate", "model get", "data index")
NAMES = ("scan", "scan --report", "report", *LABORATORY)
MEASURED = ("images_per_second", "share_waiting")


@dataclass(frozen=True)
class Command:
    """A command on tiny data.

    Attributes:
        name: Of the command.
        arguments: For an output folder.
        left_out: How names of files begin whose bytes a clock decides.
        on_the_way: Names of files that are otherwise before the end, and still are no result.
        environment: For an output folder.
        read: What of a file must be the same after every run.
    """

    name: str
    arguments: Callable[[Path], list[object]]
    left_out: tuple[str, ...] = ()
    on_the_way: tuple[str, ...] = ()
    environment: Callable[[Path], Mapping[str, str]] = field(default=lambda folder: {})
    read: Callable[[Path], bytes] = field(default=lambda file: _without_times(file))

    def leaves(self, folder: Path) -> dict[str, bytes]:
        """What is in an output folder, by name, as far as it must be the same after every run."""
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        names = {str(file.relative_to(folder)): file for file in files}
        return {
            name: self.read(file)
            for name, file in names.items()
            if not name.startswith(self.left_out or "\0")
        }


@contextmanager
def made_commands(folder: Path, names: tuple[str, ...] = NAMES) -> Iterator[list[Command]]:
    """The commands with their data, and within the block whatever they need beside it.

    Args:
        folder: For the data.
        names: Of the commands that are wanted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        yield [_MAKERS[name](folder / name.replace(" ", "-"), stack) for name in names]


def _scan(folder: Path, stack: ExitStack) -> Command:
    clips = write_labelled(folder / "clips", originals=2, odd=False)
    options = ["--model", write_tiny_model(folder / "model"), "--frames", 3, "--jobs", 1, "--shard-files", 2]
    options += ["--report-top", 0]  # a report tells when it was made
    return Command("scan", lambda out: ["scan", clips, "-o", out, *options], ("timings",))


def _extract(folder: Path, stack: ExitStack) -> Command:
    clips = write_labelled(folder, originals=2, odd=False)
    options = ["--workers", 1, "--frames", 3, "--shard-videos", 2]
    return Command("extract", lambda out: ["extract", clips, "-o", out, *options], ("timings",))


def _train(folder: Path, stack: ExitStack) -> Command:
    folder.mkdir()
    store_people(folder / "train", [("ann", "REAL"), ("ben", "REAL")])
    store_people(folder / "val", [("carl", "REAL"), ("f-of-carl", "FAKE")])
    recipe = write_recipe(folder, folder)
    return Command(
        "train", lambda out: ["train", recipe, "-o", out], ("tensorboard",), ("checkpoint.pt", "log.jsonl")
    )


def _judges(name: str, *, originals: int, writes: str = "") -> Callable[[Path, ExitStack], Command]:
    """A command that judges labelled clips with a tiny model."""

    def make(folder: Path, stack: ExitStack) -> Command:
        clips = write_labelled(folder / "clips", originals=originals, odd=False)
        card = write_tiny_model(folder / "model")
        options = ["--model", card, "--frames", 3, "--jobs", 1]
        return Command(name, lambda out: [name, clips, "-o", out / writes, *options])

    return make


def _get(folder: Path, stack: ExitStack) -> Command:
    """From a hub in this process."""
    from hub_server import serve
    from published import gend_files

    hub = stack.enter_context(serve({"yermandy/GenD_CLIP_L_14": gend_files("clip")}))

    def environment(out: Path) -> dict[str, str]:
        return {"UNMASK_CACHE": str(out), "HF_ENDPOINT": hub.url, "HF_TOKEN_PATH": str(folder / "none")}

    return Command("model get", lambda out: ["model", "get", "gend-clip-l14"], environment=environment)


def _case(folder: Path, stack: ExitStack) -> Command:
    (clip, _), card = _faceless(folder)
    return Command("report", lambda out: ["report", clip, "-o", out, "--model", card], read=_is_whole)


def _faceless(folder: Path) -> tuple[list[Path], Path]:
    """Two clips that are quickly told of, for nobody is in them, and a model's card."""
    folder.mkdir()
    frames = [np.full((64, 64, 3), 90, np.uint8)] * 4
    clips = [write_clip(folder / f"{name}.mp4", frames) for name in ("one", "two")]
    return clips, write_tiny_model(folder / "model")


def _pages(folder: Path, stack: ExitStack) -> Command:
    """Reports of two clips with an overview, and a table."""
    clips, card = _faceless(folder)

    def arguments(out: Path) -> list[object]:
        wanted = ["--report", out / "reports", "--csv", out / "verdicts.csv"]
        return ["scan", *clips, "--model", card, "--jobs", 1, *wanted]

    return Command("scan --report", arguments, read=_is_whole)


def _index(folder: Path, stack: ExitStack) -> Command:
    clips = write_labelled(folder / "clips", originals=2, odd=False)
    return Command(
        "data index", lambda out: ["data", "index", clips, "-o", out / "index.parquet", "--jobs", 1]
    )


_MAKERS: dict[str, Callable[[Path, ExitStack], Command]] = {
    "scan": _scan,
    "extract": _extract,
    "submit": _judges("submit", originals=1, writes="submission.csv"),
    "train": _train,
    "evaluate": _judges("evaluate", originals=2),
    "calibrate": _judges("calibrate", originals=3, writes="card.json"),
    "model get": _get,
    "report": _case,
    "scan --report": _pages,
    "data index": _index,
}


def _is_whole(file: Path) -> bytes:
    """Whether a report or a part of a case file is there as a whole; when it was made differs."""
    data = file.read_bytes()
    if file.suffix == ".html":
        return data[-16:] if data.endswith(b"</html>\n") else data
    if file.suffix == ".json":
        with suppress(ValueError):  # as half a draft has it
            return b"whole" if json.loads(data) else data
        return data
    if file.suffix == ".csv":  # it has a column of seconds
        return b"\n".join(row.split(b",")[0] for row in data.splitlines(keepends=True))
    return data if file.name != LOG else "\n".join(check_case(file.parent).problems).encode()


def _without_times(file: Path) -> bytes:
    if file.name == "checkpoint.pt":  # as tensors: how they are packed is otherwise after a stop
        found = checkpoint(file.parent)
        return b"".join(name.encode() + value.tobytes() for name, value in sorted(found.items()))
    if file.name != "log.jsonl":
        return file.read_bytes()
    rows = [json.loads(line) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]
    kept = [{name: value for name, value in row.items() if name not in MEASURED} for row in rows]
    return json.dumps(kept).encode()
