"""Groups of videos that must stay on one side of a split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from unmask.lab.datasets.video_index import clip_of

if TYPE_CHECKING:
    from pandas import DataFrame

Links = Iterable[Sequence[str]]


def join_linked(links: Links) -> dict[str, str]:
    """Join names that are linked, directly or through others.

    Args:
        links: Names that belong together; a single one is a group of its own.

    Returns:
        For each name the first in the alphabet of its group.

    Example:
        >>> join_linked([["b", "c"], ["d"], ["a", "c"]])
        {'b': 'a', 'c': 'a', 'd': 'd', 'a': 'a'}
    """
    parents: dict[str, str] = {}

    def find(name: str) -> str:
        parents.setdefault(name, name)
        while parents[name] != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    for names in links:
        for other in names:
            first, second = sorted((find(names[0]), find(other)))
            parents[second] = first
    return {name: find(name) for name in parents}


def group_by_original(frame: DataFrame, links: Links = ()) -> list[str]:
    """A clip with everything made from it, and files with the same bytes.

    Args:
        frame: The index.
        links: Names of clips that belong together besides.

    Returns:
        The group of each row.
    """
    clips = _clips(frame)
    return _joined(clips, [*_same(clips, frame["sha256"]), *_known(clips, links)])


def group_by_person(frame: DataFrame, links: Links = ()) -> list[str]:
    """Clips that show the same person or lend each other faces, as far as the index or the links say."""
    clips = _clips(frame)
    same = [*_same(clips, frame["sha256"]), *_same(clips, frame["person"]), *_known(clips, links)]
    lent = zip(clips, frame["donor"], strict=True)
    donors = [[clip, donor] for clip, donor in lent if isinstance(donor, str)]
    return _joined(clips, [*same, *donors])


def group_by_part(frame: DataFrame, _: Links = ()) -> list[str]:
    """A folder or zip as a whole."""
    return [str(part) for part in frame["part"]]


GROUPINGS: dict[str, Callable[[DataFrame, Links], list[str]]] = {
    "original": group_by_original,
    "person": group_by_person,
    "part": group_by_part,
}


def _clips(frame: DataFrame) -> list[str]:
    return [str(name) for name in clip_of(frame)]


def _same(clips: Sequence[str], values: Iterable[object]) -> list[list[str]]:
    """Links between clips of one value; rows without a value have none."""
    first: dict[str, str] = {}
    links = []
    for clip, value in zip(clips, values, strict=True):
        if isinstance(value, str) and first.setdefault(value, clip) != clip:
            links.append([first[value], clip])
    return links


def _known(clips: Sequence[str], links: Links) -> list[list[str]]:
    known = set(clips)
    return [some for names in links if len(some := [name for name in names if name in known]) > 1]


def _joined(clips: Sequence[str], links: Links) -> list[str]:
    joined = join_linked([*([clip] for clip in dict.fromkeys(clips)), *links])
    return [joined[clip] for clip in clips]
