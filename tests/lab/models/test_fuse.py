from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tiny_model import write_tiny_model
from unmask.config import CropSettings
from unmask.errors import ModelError
from unmask.judge.card import read_card
from unmask.lab.models.fuse import SHARPNESS, Member, fuse_models


def run(file, crops):
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return session.run(None, {"crops": crops})[0]


@pytest.fixture
def tiny(tmp_path):
    card = Path(write_tiny_model(tmp_path))
    return card.parent / read_card(card).file, read_card(card).size_px


def test_each_member_gets_its_own_part_and_scale(tiny, tmp_path):
    file, size = tiny
    members = [
        Member(file, CropSettings(size, 0.5), centre=0.5, spread=2.0),
        Member(file, CropSettings(size, 0.0), centre=-1.0, spread=4.0),
    ]
    view = fuse_models(members, tmp_path / "fused.onnx")
    assert view == CropSettings(2 * round(1.5 * size / 2), 0.5)
    side = view.size_px
    start = (side - size) // 2
    crops = np.full((3, 3, side, side), 40, np.uint8)
    crops[1:, :, start : start + size, start : start + size] = 200
    crops[2, :, :start] = 90  # which the tight one does not see
    low, high = (float(run(file, np.full((1, 3, size, size), v, np.uint8))[0]) for v in (40, 200))
    found = run(tmp_path / "fused.onnx", crops)
    odds = np.exp(SHARPNESS * np.array([(low - 0.5) / 2, (low + 1) / 4]))
    assert found[0] == pytest.approx(np.log(odds.mean()) / SHARPNESS, abs=1e-4)
    # What is left when the tight one's share is taken off.
    tight = np.exp(SHARPNESS * (high + 1) / 4)
    wide = np.log(np.maximum(2 * np.exp(SHARPNESS * found) - tight, 1e-9)) / SHARPNESS
    assert min(low, high) < 2 * wide[1] + 0.5 < max(low, high)
    assert wide[2] != pytest.approx(wide[1], abs=1e-3)


def test_a_member_that_needs_surroundings_has_no_say_beyond_the_picture(tiny, tmp_path):
    file, size = tiny
    members = [
        Member(file, CropSettings(size, 0.0), centre=-1.0, spread=4.0),
        Member(file, CropSettings(size, 0.5), centre=3.0, spread=2.0, needs_surroundings=True),
    ]
    side = fuse_models(members, tmp_path / "fused.onnx").size_px
    fuse_models(members[:1] * 2, tmp_path / "alone.onnx")
    rng = np.random.default_rng(0)
    inside = rng.integers(0, 256, (3, 2 * side // 3, 2 * side // 3), np.uint8)
    gap = side - inside.shape[1]
    tight = np.pad(inside, ((0, 0), (gap // 2, gap - gap // 2), (gap // 2, gap - gap // 2)), "edge")
    aside = np.pad(inside, ((0, 0), (0, gap), (0, gap)), "edge")  # at two edges of a picture
    start = (side - size) // 2
    found = run(tmp_path / "fused.onnx", np.stack([tight, aside]))
    parts = np.stack([tight, aside])[:, :, start : start + size, start : start + size]
    alone = run(tmp_path / "alone.onnx", np.ascontiguousarray(parts))
    assert found[0] == pytest.approx(alone[0], abs=1e-5)
    assert abs(found[1] - alone[1]) > 1e-3


def test_refuses_what_cannot_be_fused(tiny, tmp_path):
    member = Member(tiny[0], CropSettings(tiny[1], 0.0), centre=0.0, spread=1.0)
    for members in ([member], [member, Member(tiny[0], member.view, 0.0, 0.0)]):
        with pytest.raises(ModelError, match="two members or more, each with a spread above 0"):
            fuse_models(members, tmp_path / "fused.onnx")
    shrunk = Member(tiny[0], CropSettings(tiny[1], 0.0, common_px=16), 0.0, 1.0)
    with pytest.raises(ModelError, match="fusing needs members that see faces at their own size"):
        fuse_models([member, shrunk], tmp_path / "fused.onnx")
    lost = Member(tiny[0], member.view, 0.0, 1.0, needs_surroundings=True)
    with pytest.raises(ModelError, match="a say without surroundings"):
        fuse_models([lost, lost], tmp_path / "fused.onnx")
