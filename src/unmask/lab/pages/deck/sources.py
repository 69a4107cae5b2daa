"""What was given for a deck, told apart by what it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.errors import DataError
from unmask.lab.pages.deck.reading import first_line
from unmask.lab.submit.wanted import HEADER

MOST_RUNS = 24


@dataclass(frozen=True, slots=True)
class DeckFiles:
    """Where the slides come from; None or empty for what was not given.

    Attributes:
        index: A table of videos, by ``unmask data``.
        extraction: A folder of stored faces, by ``unmask extract``.
        evaluation: A folder with scores, by ``unmask evaluate``.
        runs: Folders with a log each, by ``unmask train``.
        submission: A table of labels, by ``unmask submit``.
        timing: What ``unmask submit --json`` printed.
    """

    index: Path | None = None
    extraction: Path | None = None
    evaluation: Path | None = None
    runs: tuple[Path, ...] = ()
    submission: Path | None = None
    timing: Path | None = None


def tell_apart(paths: Sequence[Path]) -> DeckFiles:
    """Find out what each path is.

    Args:
        paths: In any order; of each kind one, and as many runs as there are.

    Raises:
        DataError: A path leads nowhere or to something else, or there are two of a kind.
    """
    found: dict[str, Path] = {}
    runs: list[Path] = []
    for path in paths:
        kind = _kind(path)
        if kind == "runs":
            runs += find_runs(path)
        elif kind in found:
            raise DataError(f"a deck shows one {kind}, got {found[kind]} and {path}")
        else:
            found[kind] = path
    if len(runs) > MOST_RUNS:
        raise DataError(f"a deck shows {MOST_RUNS} runs at most, got {len(runs)}; name the ones to show")
    return DeckFiles(**found, runs=tuple(runs))


def find_runs(folder: Path) -> list[Path]:
    """The folder itself if it is of a run, else the runs in it: members of an ensemble, or levers."""
    if (folder / "log.jsonl").is_file():
        return [folder]
    return sorted(log.parent for log in folder.glob("*/log.jsonl") if log.is_file())


def _is_index(path: Path) -> bool:
    if path.suffix.lower() == ".parquet":
        return path.is_file()
    return path.suffix.lower() == ".csv" and {"name", "path", "status"} <= set(first_line(path).split(","))


def _is_submission(path: Path) -> bool:
    return path.is_file() and tuple(first_line(path).split(",")) == HEADER


KINDS: dict[str, Callable[[Path], bool]] = {
    "evaluation": lambda path: (path / "metrics.json").is_file(),
    "extraction": lambda path: (path / "manifest.jsonl").is_file(),
    "runs": lambda path: path.is_dir() and bool(find_runs(path)),
    "submission": _is_submission,
    "index": _is_index,
    "timing": lambda path: path.suffix.lower() == ".json" and path.is_file(),
}
"""How each kind is known; the first that fits counts."""


def _kind(path: Path) -> str:
    try:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
        kind = next((name for name, fits in KINDS.items() if fits(path)), None)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    if kind is None:
        raise DataError(
            f"{path} must be an index (.parquet, .csv), a folder of unmask extract, evaluate or train, or a "
            "submission (.csv, or the .json of unmask submit --json)"
        )
    return kind
