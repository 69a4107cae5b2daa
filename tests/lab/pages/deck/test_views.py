import numpy as np
import pytest

from portraits import moving_views, write_clip
from unmask.lab.pages.deck import views
from unmask.lab.pages.deck.views import Flow, Found, Still, Wanted, make_views


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return str(write_clip(tmp_path_factory.mktemp("clip") / "a.mp4", moving_views(8)))


def test_each_kind_shows_the_face(clip, tmp_path):
    dark = [np.full((160, 200, 3), 9, np.uint8)] * 8
    nobody = str(write_clip(tmp_path / "nobody.mp4", dark))
    done = []
    wanted = [Wanted(kind, "a", clip) for kind in ("find", "flow", "strip")]
    wanted += [Wanted("find", "nobody", nobody), Wanted("flow", "nobody", nobody)]
    found = make_views(wanted, on_done=lambda: done.append(1))
    assert len(done) == 5
    face, flow, strip = found["find", "a"], found["flow", "a"], found["strip", "a"]
    assert isinstance(face, Found) and face.people == 1 and face.level > 50
    assert isinstance(flow, Flow) and flow.sampled == 8 and flow.shape[:2] == (8, 3)
    assert len(flow.frames) == len(flow.boxes) == len(flow.crops) == 5
    assert isinstance(strip, Still) and strip.width == 5 * strip.height
    assert found["find", "nobody"].people == 0 and found["find", "nobody"].level < 20
    assert found["flow", "nobody"] == "nobody was found in it"


def test_what_cannot_be_opened_is_a_word_and_the_others_go_on(clip, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 999)
    wanted = [
        Wanted("find", "broken", str(tmp_path / "broken.mp4")),
        Wanted("find", "gone", str(tmp_path / "gone.mp4")),
        Wanted("find", "far", "s3://bucket/a.mp4"),
        Wanted("find", "a", clip),
    ]
    found = make_views(wanted)
    assert all(isinstance(found["find", name], str) and found["find", name] for name in ("broken", "gone"))
    assert "fetches nothing" in found["find", "far"]
    assert isinstance(found["find", "a"], Found)


def test_a_video_that_takes_too_long_is_given_up(clip, monkeypatch):
    monkeypatch.setattr(views, "_LIMIT_SECONDS", 1e-6)
    found = make_views([Wanted("find", "a", clip)])
    assert isinstance(found["find", "a"], str)
