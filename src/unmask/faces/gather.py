"""The faces of a video of any length as those of one clip, shot after shot."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from unmask.types import Clip, Frame, Stretch, Track

MOST_SHOWN = 40
"""Frames of a longer video whose pixels are kept to be looked at; 125 MB at 1080p."""


@dataclass(slots=True)
class Gathered:
    """What was found, under numbers that go on from stretch to stretch.

    Attributes:
        path: The file.
        times_seconds: Of all sampled frames.
        tracks: All of them; frames and people are numbered through.
        shots: In which shot each track lies, from 0.
    """

    path: Path
    times_seconds: list[float] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    shots: list[int] = field(default_factory=list)
    _shot: int = -1
    _pixels: dict[int, Frame] = field(default_factory=dict)
    _stride: int = 1

    def add(self, stretch: Stretch, tracks: tuple[Track, ...]) -> tuple[Track, ...]:
        """Take in the next stretch.

        Args:
            stretch: With its frames, of which some are kept.
            tracks: Found in it.

        Returns:
            The tracks under the numbers of the stretch's own frames, but people numbered through.
        """
        self._shot += stretch.opens_shot or self._shot < 0
        first, people = len(self.times_seconds), len(self.tracks)
        self.times_seconds += [frame.time_seconds for frame in stretch.clip.frames]
        numbers = {track.id: people + place for place, track in enumerate(tracks)}
        own = tuple(
            replace(track, id=numbers[track.id], dropped=track.dropped and track.dropped.numbered(numbers))
            for track in tracks
        )
        self.tracks += [
            replace(track, frame_indices=tuple(first + index for index in track.frame_indices))
            for track in own
        ]
        self.shots += [self._shot] * len(own)
        for index, frame in enumerate(stretch.clip.frames, first):
            if index % self._stride == 0:
                self._pixels[index] = frame
        while len(self._pixels) > MOST_SHOWN and not stretch.is_whole:
            self._stride *= 2
            self._pixels = {i: frame for i, frame in self._pixels.items() if i % self._stride == 0}
        return own

    def shown(self) -> tuple[Clip, tuple[Track, ...]]:
        """The frames that were kept, as a clip, and the tracks as far as they are in these."""
        places = {index: place for place, index in enumerate(sorted(self._pixels))}
        tracks = []
        for track in self.tracks:
            seen = [
                (places[i], face)
                for i, face in zip(track.frame_indices, track.faces, strict=True)
                if i in places
            ]
            if seen:
                indices, faces = zip(*seen, strict=True)
                tracks.append(replace(track, frame_indices=indices, faces=faces))
        frames = tuple(self._pixels[index] for index in sorted(places))
        length = self.times_seconds[-1] - self.times_seconds[0] if self.times_seconds else 0.0
        return Clip(self.path, frames, length), tuple(tracks)
