import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.config import CropSettings
from unmask.faces.crop import align_square, cut_crops, cut_face, cut_square, map_points, place_template
from unmask.types import Clip, Face, Frame, Track
from unmask.video import clip_from_arrays

RAMP = np.zeros((200, 300, 3), np.uint8)
RAMP[..., 0] = np.linspace(0, 250, 300)
RAMP[..., 1] = np.linspace(0, 250, 200)[:, None]


def _box(*edges):
    return np.array(edges, np.float32)


def _track(number, boxes, indices=None, why=None):
    points = np.array([[0, 0], [1, 0], [0.5, 0.5], [0, 1], [1, 1]], np.float32)
    faces = tuple(Face(b, b[:2] + points * (b[2:] - b[:2]), 0.99) for b in boxes)
    return Track(number, tuple(indices or range(len(boxes))), faces, why)


def test_same_size_is_cut_without_resampling():
    crop, mapping = cut_square(RAMP, _box(40, 30, 104, 94), size_px=64)
    np.testing.assert_array_equal(crop, RAMP[30:94, 40:104])
    np.testing.assert_allclose(mapping, [[1, 0, -40], [0, 1, -30]])


def test_the_longer_side_makes_the_square():
    _, mapping = cut_square(RAMP, _box(100, 50, 140, 130), size_px=160)
    np.testing.assert_allclose(
        map_points(_box(80, 50, 160, 130).reshape(2, 2), mapping), [[0, 0], [160, 160]]
    )


@settings(deadline=None)  # a busy machine is no failure
@given(st.floats(-50, 300), st.floats(-50, 200), st.floats(2, 150), st.integers(8, 300))
def test_the_mapping_stays_within_half_a_pixel_of_the_box(left, top, side, size_px):
    crop, mapping = cut_square(RAMP, _box(left, top, left + side, top + side), size_px=size_px)
    assert crop.shape == (size_px, size_px, 3)
    corners = map_points(_box(left, top, left + side, top + side).reshape(2, 2), mapping)
    slack = 1.01 * mapping[0, 0] + 0.01
    np.testing.assert_allclose(corners, [[0, 0], [size_px, size_px]], atol=slack)


def test_a_face_on_its_head_is_given_by_half_a_turn():
    face = _track(0, [_box(60, 40, 160, 140)]).faces[0]
    down = Face(face.box, (2 * face.box.reshape(2, 2).mean(axis=0) - face.points).astype(np.float32), 0.99)
    settings = CropSettings(120, 0.2)
    crop, _ = cut_face(RAMP, face, settings)
    turned, mapping = cut_face(RAMP, down, settings)
    np.testing.assert_array_equal(turned, crop[::-1, ::-1])
    eyes, mouth = (map_points(down.points[part], mapping)[:, 1].mean() for part in (slice(2), slice(3, 5)))
    assert eyes < mouth
    aside = Face(face.box, face.points[:, ::-1].copy(), 0.99)  # lying down: as it is
    np.testing.assert_array_equal(cut_face(RAMP, aside, settings)[0], crop)


def test_the_mapping_tells_where_the_pixels_are():
    image = np.zeros((200, 300, 3), np.uint8)
    image[120:124, 210:214] = 255
    for size_px in (50, 100, 331):
        crop, mapping = cut_square(image, _box(150.4, 60.7, 250.2, 160.1), size_px=size_px)
        weight = crop[..., 0].astype(float)
        middle = [
            (weight.sum(axis=axis) * (np.arange(size_px) + 0.5)).sum() / weight.sum() for axis in (0, 1)
        ]
        np.testing.assert_allclose(map_points(_box(212, 122)[None], mapping)[0], middle, atol=0.51)


def test_shrinking_takes_means():
    stripes = np.zeros((200, 200, 3), np.uint8)
    stripes[:, ::2] = 200
    crop, _ = cut_square(stripes, _box(0, 0, 200, 200), size_px=50)
    assert (crop == 100).all()


LINES = np.zeros((400, 400, 3), np.uint8)
LINES[:, ::2] = 200


def test_a_square_is_scaled_through_another_side():
    box = _box(20, 20, 380, 380)
    kept, mapping = cut_square(LINES, box, size_px=360)
    shrunk, same = cut_square(LINES, box, size_px=360, through_px=180)
    assert kept.std() > 90 and (shrunk == 100).all()
    np.testing.assert_array_equal(mapping, same)
    np.testing.assert_array_equal(cut_square(LINES, box, size_px=224, through_px=360)[0], kept_at(224, box))


def kept_at(size_px, box):
    return cut_square(LINES, box, size_px=size_px)[0]


@pytest.mark.parametrize(
    ("sides", "common_px", "through"),
    [((100, 120, 140), 180, 120), ((100, 240, 300), 180, 180), ((200, 300, 310), 0, 0)],
)
def test_the_faces_of_a_person_are_brought_to_their_median_but_no_larger(sides, common_px, through):
    boxes = [_box(20, 20, 20 + side, 20 + side) for side in sides]
    clip = clip_from_arrays([LINES] * 3)
    crops = cut_crops(clip, [_track(0, boxes)], CropSettings(224, 0.0, common_px=common_px))[0]
    for box, crop in zip(boxes, crops.images, strict=True):
        wanted, _ = cut_square(LINES, box, size_px=224, through_px=through)
        np.testing.assert_array_equal(crop.transpose(1, 2, 0), wanted)


def test_a_face_by_itself_is_only_shrunk():
    points = np.array([[100, 100], [200, 100], [150, 150], [100, 200], [200, 200]], np.float32)
    for side, through in ((100, 0), (300, 180)):
        face = Face(_box(40, 40, 40 + side, 40 + side), points, 0.99)
        crop, _ = cut_face(LINES, face, CropSettings(224, 0.0, common_px=180))
        wanted, _ = cut_square(LINES, face.box, size_px=224, through_px=through)
        np.testing.assert_array_equal(crop, wanted)


def test_outside_the_frame_the_edge_is_repeated_not_mirrored():
    crop, _ = cut_square(RAMP, _box(-32, 60, 32, 124), size_px=64)
    np.testing.assert_array_equal(crop[:, :32], np.repeat(RAMP[60:124, :1], 32, axis=1))
    np.testing.assert_array_equal(crop[:, 32:], RAMP[60:124, :32])


@pytest.mark.parametrize(
    "box", [(-900, -900, -800, -800), (5000, 10, 5100, 110), (10, 10, 10, 10), (20, 20, 5, 5)]
)
def test_odd_boxes_give_a_crop(box):
    crop, _ = cut_square(RAMP, _box(*box), size_px=32)
    assert crop.shape == (32, 32, 3)


def test_a_box_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="box must be finite"):
        cut_square(RAMP, _box(0, 0, np.nan, 1), size_px=32)


def test_crops_of_two_people_and_none_of_the_dropped():
    clip = clip_from_arrays([RAMP] * 4, [0, 0.5, 1.25, 2])
    tracks = [
        _track(0, [_box(20, 20, 60, 70)] * 4),
        _track(1, [_box(5, 5, 9, 9)], why="face is 4 px wide"),
        _track(2, [_box(150, 90, 200, 140), _box(152, 90, 202, 140)], indices=[1, 3]),
    ]
    first, second = cut_crops(clip, tracks, CropSettings(size_px=64, margin_fraction=0.28))
    assert (first.track_id, second.track_id) == (0, 2)
    assert first.images.shape == (4, 3, 64, 64)
    assert second.frame_indices.tolist() == [1, 3]
    assert second.times_seconds.tolist() == [0.5, 2.0]
    np.testing.assert_array_equal(second.boxes[1], [152, 90, 202, 140])
    # 50 px and 28 percent make 64 px: pixels come unchanged, channels first.
    np.testing.assert_array_equal(second.images[0].transpose(1, 2, 0), RAMP[83:147, 143:207])
    np.testing.assert_allclose(second.points[0], [[7, 7], [57, 7], [32, 32], [7, 57], [57, 57]])


class CountingPicture:
    width, height = 300, 200

    def __init__(self):
        self.conversions = 0

    def rgb(self, *, width=None, height=None):
        assert (width, height) == (None, None)
        self.conversions += 1
        return RAMP


def test_a_frame_is_converted_once_and_only_when_it_shows_somebody():
    pictures = [CountingPicture() for _ in range(3)]
    frames = tuple(Frame(float(index), picture) for index, picture in enumerate(pictures))
    clip = Clip("x.mp4", frames, 3.0)
    boxes = [_box(20, 20, 60, 70)] * 2
    cut_crops(clip, [_track(0, boxes, [0, 2]), _track(1, boxes, [0, 2])], CropSettings())
    assert [picture.conversions for picture in pictures] == [1, 0, 1]


def test_nobody_gives_no_crops():
    assert cut_crops(clip_from_arrays([RAMP]), [], CropSettings()) == []


# Of the detector GenD (WACV 2026): eyes, nose and mouth corners in shares of the side.
TEMPLATE = ((0.34, 0.46), (0.66, 0.46), (0.5, 0.64), (0.37, 0.82), (0.63, 0.82))
ALIGNED = CropSettings(size_px=96, margin_fraction=0.3, crop="aligned", template=TEMPLATE)


def turned_points(angle_degrees=25.0, scale=0.7, shift=(140.0, 90.0)):
    """The points of a face that lies turned in the picture."""
    angle = np.deg2rad(angle_degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([48.0, 48.0])
    return ((place_template(ALIGNED) - middle) @ turn.T + shift).astype(np.float32)


def test_a_template_is_placed_with_its_margin_as_its_authors_do():
    # Their way: scale to the side, add the margin, shrink by what side and margins make together.
    expected = np.array(TEMPLATE) * 96
    margin = 0.3 * 96 / 2
    expected = (expected + margin) * 96 / (96 + 2 * margin)
    np.testing.assert_allclose(place_template(ALIGNED), expected, rtol=1e-6)


def test_an_aligned_face_is_what_a_reference_warp_gives():
    transform = pytest.importorskip("skimage.transform")
    smooth = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.float64)
    image = np.clip(transform.resize(smooth, (200, 300, 3), order=3), 0, 255).astype(np.uint8)
    points = turned_points(scale=1.0)
    crop, mapping = align_square(image, points, ALIGNED)
    reference = transform.SimilarityTransform.from_estimate(points, place_template(ALIGNED))
    np.testing.assert_allclose(mapping, reference.params[:2], atol=1e-3)
    half = transform.SimilarityTransform(translation=(0.5, 0.5))  # theirs counts from pixels' middles
    warp = half + reference + half.inverse
    expected = transform.warp(image, warp.inverse, output_shape=(96, 96), order=1, preserve_range=True)
    assert np.abs(crop.astype(float) - expected).mean() < 0.5
    assert np.abs(crop.astype(float) - expected).max() < 6


@pytest.mark.parametrize("scale", [0.2, 0.7, 1.0, 2.0])
def test_the_points_of_an_aligned_face_lie_on_the_template(scale):
    points = turned_points(scale=scale)
    image = np.zeros((200, 300, 3), np.uint8)
    for x, y in np.round(points).astype(int):
        image[max(0, y - 1) : y + 1, max(0, x - 1) : x + 1] = 255
    crop, mapping = align_square(image, points, ALIGNED)
    np.testing.assert_allclose(map_points(points, mapping), place_template(ALIGNED), atol=0.02)
    reach = 4
    for x, y in np.round(place_template(ALIGNED)).astype(int):
        near = crop[y - reach : y + reach, x - reach : x + reach, 0]
        assert near.max() > 60, "each point of the picture must have come to its place"


def test_outside_the_frame_an_aligned_face_is_black():
    crop, _ = align_square(RAMP + 5, turned_points(0, 1.0, (0.0, 100.0)), ALIGNED)
    assert (crop[:, :44] == 0).all()
    assert crop[:, 52:].any()


def test_an_aligned_track_is_cut_with_its_card_and_a_face_without_points_by_its_box():
    clip = clip_from_arrays([RAMP] * 2, [0, 1])
    box = _box(100, 50, 180, 130)
    same = np.full((5, 2), 140, np.float32)
    odd = np.full((5, 2), np.nan, np.float32)
    faces = (Face(box, turned_points(), 0.9), Face(box, same, 0.9))
    (crops,) = cut_crops(clip, [Track(0, (0, 1), faces)], ALIGNED)
    np.testing.assert_allclose(crops.points[0], place_template(ALIGNED), atol=0.02)
    by_box, _ = cut_face(RAMP, faces[1], CropSettings(96, 0.3))
    np.testing.assert_array_equal(crops.images[1].transpose(1, 2, 0), by_box)
    np.testing.assert_array_equal(cut_face(RAMP, Face(box, odd, 0.9), ALIGNED)[0], by_box)
