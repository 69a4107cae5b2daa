"""From file to clip: a video or an image comes in, sampled RGB frames with their times go out.

Never here: anything about faces, or pixels from a decoder that no limit of size and time guards.

``open_film`` is the way in: it says what a file is, lists its packets, once, and parts a long video, for
several processes that hand each other the ``Film``. Whatever reads takes one: ``reading`` has evenly spread
frames (``read_clip`` does both), ``read_stretches`` a video of any length, ``playing`` single frames.
Their parts, from below: ``packets`` reads the heads of compressed packets, ``sampling`` chooses frames and
packets, ``picture`` turns frames into RGB, ``container`` guards the opening, ``survey`` is the first pass and
``decoding`` the second; ``still`` reads images. ``shots`` and ``dissolves`` find where shots begin, by
``miniature`` pictures. ``beside`` reads small videos to show them, ``facts`` what a file says of itself.
``distort`` makes worse versions of a clip, as bad channels do, and ``encoding`` writes videos.
"""

from unmask.video.film import Film, open_film
from unmask.video.picture import array_picture, clip_from_arrays
from unmask.video.reading import read_clip
from unmask.video.stretches import read_stretches

__all__ = ["Film", "array_picture", "clip_from_arrays", "open_film", "read_clip", "read_stretches"]
