import numpy as np

from portraits import moving_views
from unmask.config import DetectSettings, TrackSettings
from unmask.faces.detect import detect_faces, load_detector
from unmask.faces.find import find_people
from unmask.faces.track import link_faces
from unmask.video import clip_from_arrays


def test_people_are_what_detection_and_tracking_give():
    clip, detector = clip_from_arrays(moving_views(5)), load_detector(DetectSettings())
    track = TrackSettings(policy="largest", largest=1)
    by_hand = link_faces(clip, detect_faces(clip, detector, DetectSettings()), track)
    (person,) = find_people(clip, detector, track=track)
    assert person.kept and person.frame_indices == by_hand[0].frame_indices == (0, 1, 2, 3, 4)
    assert all(
        np.array_equal(one.box, other.box) for one, other in zip(person.faces, by_hand[0].faces, strict=True)
    )
