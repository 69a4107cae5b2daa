"""From file to clip: a video or an image comes in, sampled RGB frames with their times go out.

Never here: anything about faces, or pixels from a decoder that no limit of size and time guards.

``read_clip`` is the way in. Its parts, from below: ``packets`` reads the heads of compressed packets,
``sampling`` chooses frames and packets, ``picture`` turns frames into RGB, ``container`` guards the opening,
``survey`` is the first pass and ``reading`` the second; ``still`` reads images.
``read_stretches`` is the way into a video of any length: ``shots`` and ``dissolves`` find where shots
begin, by ``miniature`` pictures, and ``film`` parts it for several processes, which hand each other what it
is. ``playing`` and ``beside`` read frames again to show them, ``facts`` what a file says of itself.
``distort`` makes worse versions of a clip, as bad channels do, and ``encoding`` writes videos.
"""

from unmask.video.film import Film, list_film
from unmask.video.picture import array_picture, clip_from_arrays
from unmask.video.reading import read_clip
from unmask.video.stretches import read_stretches

__all__ = ["Film", "array_picture", "clip_from_arrays", "list_film", "read_clip", "read_stretches"]
