"""Decoding, the edge where files become frames.

``read_clip`` is the way in. Its parts, from below: ``packets`` reads the heads of compressed packets,
``sampling`` chooses frames and packets, ``picture`` turns frames into RGB, ``container`` guards the opening,
``survey`` is the first pass and ``reading`` the second; ``still`` reads images.
"""

from unmask.video.picture import array_picture, clip_from_arrays
from unmask.video.reading import read_clip

__all__ = ["array_picture", "clip_from_arrays", "read_clip"]
