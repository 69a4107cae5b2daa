"""The audit: fakes that are none, duplicates, people on two sides, labels that containers give away."""

import json
from fractions import Fraction

import av
import numpy as np
import pytest

from data_sets import changed, write_labels, write_set
from index_frames import frame_of
from media import write_video
from portraits import moving_views, write_clip
from unmask.config import CropSettings
from unmask.data import index
from unmask.errors import DataError, SettingsError
from unmask.lab.datasets.audit import AuditSettings, audit_index
from unmask.lab.datasets.audit_file import Audit, exclude, read_audit, read_links, write_audit
from unmask.lab.datasets.fingerprint import fingerprint, near_pairs
from unmask.lab.datasets.leaks import auc, find_leak
from unmask.video import read_clip


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    """The small set, and beside it a copy, a twin, an orphan, and what cannot be compared."""
    folder = write_set(tmp_path_factory.mktemp("set") / "dfdc")
    rows = {"copy.mp4": ("REAL", None), "twin.mp4": ("REAL", None), "orphan.mp4": ("FAKE", "elsewhere.mp4")}
    rows |= {"small.mp4": ("FAKE", "c.mp4"), "bare.mp4": ("REAL", None), "bare1.mp4": ("FAKE", "bare.mp4")}
    other = write_labels(folder / "part_2", rows)
    (other / "copy.mp4").write_bytes((folder / "part_1" / "b.mp4").read_bytes())
    write_clip(other / "twin.mp4", moving_views(12, brightness=8))
    write_clip(other / "orphan.mp4", moving_views(6, size=(120, 120)))
    write_clip(other / "small.mp4", moving_views(12, size=(120, 120)))
    write_video(other / "bare.mp4", frames=12)
    # A copy, as x264 does not always give the same bytes twice.
    (other / "bare1.mp4").write_bytes((other / "bare.mp4").read_bytes())
    return index(folder)


@pytest.fixture(scope="module")
def audit(frame):
    split = frame.copy()
    split["split"] = ["val" if name == "twin.mp4" else "train" for name in frame.index]
    return audit_index(split)


class TestFakes:
    def test_whose_face_did_not_change(self, audit):
        assert audit.unchanged_fakes == ["a2.mp4"] and audit.audio_only_fakes == []
        changes = {one.name: one for one in audit.comparisons}
        assert set(changes) == {"a1.mp4", "a2.mp4", "b1.mp4"}
        assert changes["a2.mp4"].changed_picture_px == 0 < changes["a2.mp4"].face_px
        # The changed patch has 3000 pixels, most of them inside the face.
        assert 1500 < changes["a1.mp4"].changed_face_px <= changes["a1.mp4"].changed_picture_px < 3500
        assert changes["a1.mp4"].sound_differs is None and changes["a1.mp4"].frames == 8

    def test_that_cannot_be_compared_say_why(self, audit):
        assert audit.not_compared == {
            "orphan.mp4": "its original is not in the set",
            "small.mp4": "its frames are 120 x 120, the original 200 x 160",
            "bare1.mp4": "no frame at the same time shows a face",
        }

    def test_with_other_sound_only(self, tmp_path):
        views = moving_views(8)
        for name, tone in (("a.mp4", 220), ("same.mp4", 220), ("voice.mp4", 330)):
            _write_with_tone(tmp_path / name, views, tone)
        foreign = (tmp_path / "voice.mp4").read_bytes().replace(b"Lavf", b"L\xe9vf")  # a tag that is no UTF-8
        (tmp_path / "voice.mp4").write_bytes(foreign)
        _write_with_tone(tmp_path / "face.mp4", changed(views), 330)
        names = ("same.mp4", "voice.mp4", "face.mp4")
        write_labels(tmp_path, {"a.mp4": ("REAL", None)} | {name: ("FAKE", "a.mp4") for name in names})
        audit = audit_index(index(tmp_path), AuditSettings(frames=3))
        assert audit.unchanged_fakes == ["same.mp4", "voice.mp4"]
        assert audit.audio_only_fakes == ["voice.mp4"]
        assert audit.exclude["voice.mp4"] == "only the sound changed"

    def test_real_swaps_all_changed_their_face(self, shared_data):
        frame = index(shared_data / "dfdc_mini" / "dfdc_train_part_1")
        audit = audit_index(frame, AuditSettings(frames=3, families=2))
        assert audit.families == (2, 7) and len(audit.comparisons) == 2 and not audit.unchanged_fakes


def _write_with_tone(path, images, hertz):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "18", "preset": "ultrafast"})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=48_000)
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for number in range(20):
            times = (np.arange(1024, dtype=np.float32) + 1024 * number) / 48_000
            wave = np.sin(2 * np.pi * hertz * times, dtype=np.float32)
            tone = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
            tone.sample_rate, tone.pts = 48_000, 1024 * number
            container.mux(sound.encode(tone))
        container.mux(sound.encode(None))


class TestAlike:
    def test_files_with_the_same_bytes(self, audit):
        assert audit.exact_duplicates == [["b.mp4", "copy.mp4"], ["bare.mp4", "bare1.mp4"]]
        assert audit.exclude["copy.mp4"] == "the same bytes as b.mp4" and "b.mp4" not in audit.exclude
        assert audit.exclude["bare.mp4"] == audit.exclude["bare1.mp4"]
        assert audit.exclude["bare.mp4"] == "the same bytes are labelled both real and fake"

    def test_clips_that_look_the_same(self, audit):
        pairs = {frozenset((a, b)) for a, b, _ in audit.near_duplicates}
        assert {"a.mp4", "twin.mp4"} in pairs and {"b.mp4", "copy.mp4"} in pairs
        assert not any("c.mp4" in pair or "bare.mp4" in pair for pair in pairs)

    def test_people_on_two_sides(self, audit):
        assert audit.people_by == "originals"
        (torn,) = audit.people_on_two_sides
        assert torn["val"] == ["twin.mp4"] and "a.mp4" in torn["train"]

    def test_an_encoded_copy_keeps_its_fingerprint(self, tmp_path):
        views = moving_views(12)
        write_clip(tmp_path / "a.mp4", views)
        dim = [np.clip(view.astype(int) // 2 + 60, 0, 255).astype(np.uint8) for view in views]
        write_clip(tmp_path / "b.mp4", dim)
        write_clip(tmp_path / "c.mp4", [np.ascontiguousarray(view[::-1]) for view in views])
        prints = np.stack([fingerprint(read_clip(tmp_path / f"{name}.mp4").frames) for name in "abc"])
        assert [pair[:2] for pair in near_pairs(prints, max_bits=20)] == [(0, 1)]

    def test_near_pairs_are_those_of_counting(self):
        bits = np.random.default_rng(0).random((1500, 64)) < 0.5
        bits[1200] = bits[3] ^ (np.arange(64) < 5)
        found = near_pairs(bits, max_bits=12)
        assert (3, 1200, 5) in found
        for first, second, count in found:
            assert first < second and int((bits[first] ^ bits[second]).sum()) == count <= 12


class Light:
    """An embedder that tells people apart by the light on them."""

    view, same_cosine = CropSettings(32, 0.2), 0.999

    def embed(self, images):
        level = images.mean(axis=(1, 2, 3)) / 255
        return np.stack([np.cos(6 * level), np.sin(6 * level)], axis=1).astype(np.float32)


def test_an_embedder_tells_people_apart(frame):
    audit = audit_index(frame, AuditSettings(near_bits=0, frames=3), embedder=Light)
    assert audit.people_by == "Light"
    assert ("b.mp4", "copy.mp4") in audit.same_people and ("a.mp4", "b.mp4") not in audit.same_people


class TestLeaks:
    def given(self, seconds):
        frame = frame_of(60, fakes=1)
        rng = np.random.default_rng(0)
        frame["codec"], frame["has_audio"], frame["fps"] = "h264", True, 30.0
        frame["size_bytes"] = rng.integers(900_000, 1_100_000, len(frame))
        frame["duration_seconds"] = np.where(frame.label == "FAKE", seconds, 10.0)
        return frame

    def test_nothing_to_see(self):
        leak = find_leak(self.given(10.0))
        assert (
            not leak.alarming
            and leak.low < 0.5 < leak.high
            and set(leak.fields) == {"size_bytes", "bytes_per_second"}
        )

    def test_the_duration_gives_the_label_away(self):
        leak = find_leak(self.given(10.04))
        assert leak.auc == leak.fields["duration_seconds"] == 1.0 and leak.alarming
        assert "duration_seconds" in leak.rule and next(iter(leak.fields)) == "duration_seconds"

    def test_an_encoder_gives_the_label_away(self):
        frame = self.given(10.0)
        frame["encoder"] = np.where(frame.label == "FAKE", "Lavf58.29.100", "Camera")
        assert find_leak(frame).fields["encoder"] == 1.0

    def test_too_little_to_say(self):
        assert "too few videos" in find_leak(frame_of(5)).why_not
        assert "without opening" in find_leak(frame_of(50)).why_not

    def test_auc_is_that_of_scikit_learn(self):
        from sklearn.metrics import roc_auc_score

        rng = np.random.default_rng(1)
        scores, fake = rng.integers(0, 8, 200).astype(float), rng.random(200) < 0.3
        assert auc(scores, fake) == pytest.approx(roc_auc_score(fake, scores))


class TestStored:
    def test_reads_what_was_written(self, audit, tmp_path):
        write_audit(audit, tmp_path / "audit.json")
        assert read_audit(tmp_path / "audit.json") == audit
        assert ["a.mp4", "twin.mp4"] in read_links(tmp_path / "audit.json")

    def test_several_processes_find_the_same(self, frame, audit):
        told = []
        other = audit_index(
            frame, AuditSettings(jobs=2), on_done=lambda done, total: told.append((done, total))
        )
        assert other.comparisons == audit.comparisons and other.near_duplicates == audit.near_duplicates
        assert told[-1] == audit.families

    def test_exclusions_become_a_status(self, frame, audit):
        cleaned = exclude(frame, audit)
        assert tuple(cleaned.loc["a2.mp4", ["status", "why"]]) == ("excluded", "the face did not change")
        assert (cleaned.status == "ok").sum() == len(frame) - 4 and (frame.status == "ok").all()

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"videos": 1}', '{"comparisons": [{"x": 1}]}'])
    def test_what_is_no_audit(self, text, tmp_path):
        (tmp_path / "audit.json").write_text(text)
        with pytest.raises(DataError):
            read_audit(tmp_path / "audit.json")

    def test_statuses_are_listed(self, frame):
        frame = frame.copy()
        frame["status"], frame["why"] = "damaged", "cut short"
        audit = audit_index(frame)
        assert audit.status == {"damaged": dict.fromkeys(frame.index, "cut short")} and audit.families == (
            0,
            0,
        )
        assert json.dumps(audit.status)

    def test_settings_that_are_none(self):
        with pytest.raises(SettingsError, match="frames must be 1 or more, got 0"):
            AuditSettings(frames=0)
        assert Audit().leak is None
