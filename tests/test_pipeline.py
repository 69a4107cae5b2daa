import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import unmask
import unmask.pipeline as pipeline
import unmask.verdicts
from portraits import moving_views, write_clip, write_image
from tiny_model import write_clip_model, write_tiny_model
from unmask.config import DecodeSettings, DetectSettings, ScanSettings
from unmask.errors import DamagedError, MediaError, ModelError, SettingsError
from unmask.faces.detect import load_detector
from unmask.files import fingerprint
from unmask.pipeline import load_scanner
from unmask.reasons import because, sentence
from unmask.video import open_film


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return ScanSettings(model=str(write_tiny_model(tmp_path_factory.mktemp("model"))))


@pytest.fixture(scope="module")
def scanner(settings):
    return load_scanner(settings)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "face.mp4", moving_views(20))


def test_a_face_is_followed_scored_and_judged(scanner, clip):
    verdict = scanner.scan(clip)
    assert verdict.outcome.has_number and not verdict.damaged
    (person,) = verdict.people
    assert person.kept and len(person.frames) == 20 and person.p_fake == verdict.p_fake
    assert all(f.confidence > 0.9 for f in person.frames)
    assert sum(f.p_fake is not None for f in person.frames) == 10
    np.testing.assert_allclose([f.time_seconds for f in person.frames], np.arange(20) / 10, atol=1e-3)
    left = [f.box[0] for f in person.frames]
    assert left[0] - left[-1] == pytest.approx(19, abs=4)  # the camera moves right, the face left
    assert verdict.sha256 == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert verdict.path == str(clip)


@pytest.mark.parametrize(("least", "scored"), [(3, 10), (12, 12), (40, 20)])
def test_of_many_frames_half_are_scored_from_the_first_to_the_last(settings, clip, least, scored):
    settings = replace(settings, score=replace(settings.score, min_frames=least))
    (person,) = load_scanner(settings).scan(clip).people
    marks = [frame.p_fake is not None for frame in person.frames]
    assert len(marks) == 20 and sum(marks) == scored and marks[0] and marks[-1]
    gaps = np.diff(np.flatnonzero(marks))
    assert gaps.max() - gaps.min() <= 1


class Brightness:
    """A network of one's own."""

    card = unmask.own_card("brightness", size_px=48, fake_at_least=0.9, real_at_most=0.1, weights=b"none")

    def __init__(self, answer=lambda means: means / 16 - 127 / 16):
        self.answer, self.shapes = answer, []

    def logits(self, images):
        self.shapes.append(images.shape[1:])
        return self.answer(images.mean(axis=(1, 2, 3)))


def test_a_network_of_ones_own_judges(clip):
    model = Brightness()
    verdict = load_scanner(model=model).scan(clip)
    assert set(model.shapes) == {(3, 48, 48)} and sum(f.p_fake is not None for f in verdict.people[0].frames)
    assert verdict.model == unmask.verdicts.ModelName("brightness", hashlib.sha256(b"none").hexdigest())
    sure = load_scanner(model=Brightness(lambda means: np.full(len(means), 9.0))).scan(clip)
    assert (sure.outcome, sure.p_fake) == ("fake", 0.99)


@pytest.mark.parametrize("answer", [lambda means: means[:-1], lambda means: means * np.nan])
def test_a_network_of_ones_own_must_give_a_finite_number_a_crop(clip, answer):
    with pytest.raises(ModelError, match=r"model brightness must give . finite logits, got shape"):
        load_scanner(model=Brightness(answer)).scan(clip)


def test_a_network_of_ones_own_and_one_by_name_are_too_many(settings):
    with pytest.raises(SettingsError, match="give model= or the model of the settings, not both, got '"):
        load_scanner(settings, model=Brightness())


def test_a_detector_of_ones_own_finds(clip, settings):
    """Here the shipped one, on mirrored pictures."""

    class Mirrored:
        def __init__(self):
            self.inner = load_detector(DetectSettings())

        def detect(self, images, *, near=None):
            hints = near and [
                None if boxes is None else self.turned(boxes, image)
                for boxes, image in zip(near, images, strict=True)
            ]
            found = self.inner.detect([np.ascontiguousarray(image[:, ::-1]) for image in images], near=hints)
            return [
                tuple(
                    replace(face, box=self.turned(face.box[None], image)[0], points=face.points)
                    for face in faces
                )
                for faces, image in zip(found, images, strict=True)
            ]

        @staticmethod
        def turned(boxes, image):
            width = np.float32(image.shape[1])
            return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)

    (usual,) = load_scanner(settings).scan(clip).people
    scanner = load_scanner(settings, detector=Mirrored())
    (person,) = scanner.scan(clip).people
    np.testing.assert_allclose(person.frames[0].box, usual.frames[0].box, atol=8)
    other = replace(settings, detect=replace(settings.detect, detector="mine"))
    assert load_scanner(other, detector=Mirrored()).scan(clip).outcome.has_number


def test_a_model_of_clips_gets_every_frame(tmp_path, clip):
    (person,) = load_scanner(ScanSettings(model=str(write_clip_model(tmp_path)))).scan(clip).people
    assert len(person.frames) == 20 and all(frame.p_fake is not None for frame in person.frames)


def test_times_of_the_stages_add_up(scanner, clip):
    seconds = scanner.scan(clip).seconds
    assert list(seconds) == ["decode", "detect", "score", "total"]
    assert 0 < sum(seconds[s] for s in ("decode", "detect", "score")) <= seconds["total"] + 0.001


def test_brighter_is_more_fake_to_the_tiny_model(scanner, tmp_path):
    dark, bright = (
        scanner.scan(write_clip(tmp_path / f"{b}.mp4", moving_views(8, brightness=b))) for b in (-30, 50)
    )
    assert dark.p_fake < bright.p_fake


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_an_image_is_a_clip_of_one_frame(scanner, tmp_path, suffix):
    verdict = scanner.scan(write_image(tmp_path / f"face{suffix}", moving_views(1)[0]))
    assert verdict.outcome.has_number
    assert len(verdict.people[0].frames) == 1


def test_no_face_carries_no_number(scanner, tmp_path):
    grey = [np.full((64, 64, 3), 90, np.uint8)] * 5
    verdict = scanner.scan(write_clip(tmp_path / "grey.mp4", grey))
    assert (verdict.outcome, verdict.p_fake, verdict.people) == ("no_face", None, ())
    assert verdict.reason == "no face was found in any of the 5 sampled frames"


def test_a_threshold_moves_the_outcome_not_the_number(settings, scanner, clip):
    p_fake = scanner.scan(clip).p_fake
    for threshold, outcome in ((p_fake, "fake"), (0.0, "fake")):
        told = load_scanner(ScanSettings(model=settings.model, threshold=threshold)).scan(clip)
        assert (told.outcome, told.p_fake) == (outcome, p_fake)
    assert load_scanner(ScanSettings(model=settings.model, threshold=1.0)).scan(clip).outcome != "fake"


def test_frames_are_as_many_as_asked(settings, clip):
    asked = ScanSettings(model=settings.model, decode=DecodeSettings(frames=7))
    assert len(load_scanner(asked).scan(clip).people[0].frames) == 7


@pytest.mark.parametrize(
    ("error", "outcome", "damaged", "reason"),
    [
        (MediaError(because("no_video"), "face.mp4"), "unreadable", False, "no video stream"),
        (DamagedError(because("no_frame"), "face.mp4"), "unreadable", True, "no frame can be decoded"),
        (FileNotFoundError(2, "No such file", "face.mp4"), "unreadable", False, "no such file"),
        (OSError(22, "Invalid argument", "face.mp4"), "unreadable", False, "invalid argument"),
        (OSError(5, "EIO", "face.mp4"), "error", False, str(because("machine_failed", error="EIO"))),
    ],
)
def test_what_decoding_raises_becomes_a_sentence(scanner, clip, monkeypatch, error, outcome, damaged, reason):
    def fail(*_):
        raise error
        yield

    monkeypatch.setattr(pipeline, "read_stretches", fail)
    verdict = scanner.scan(clip)
    assert (verdict.outcome, verdict.p_fake, verdict.damaged, verdict.reason) == (
        outcome,
        None,
        damaged,
        reason,
    )
    assert verdict.sha256  # the bytes could be read


def test_damage_is_said_and_judged_all_the_same(scanner, clip, monkeypatch):
    import dataclasses

    (whole,) = pipeline.read_stretches(open_film(clip, scanner.settings.decode))
    hurt = dataclasses.replace(whole.clip, damage=because("incomplete_packet"))
    stretch = dataclasses.replace(whole, clip=hurt)
    monkeypatch.setattr(pipeline, "read_stretches", lambda *_: iter([stretch]))
    verdict = scanner.scan(clip)
    assert verdict.damaged and verdict.outcome.has_number
    assert verdict.reason.endswith("; the file is damaged (a packet is incomplete)")
    assert sentence(verdict.reasons[-1], "de") == "die Datei ist beschädigt (ein Paket ist unvollständig)"


def test_the_hash_is_told_before_the_file_is_opened(scanner, clip, monkeypatch):
    order = []

    def note(*_):
        order.append("open")
        raise MediaError(because("empty"))

    monkeypatch.setattr(pipeline, "open_film", note)
    scanner.scan(clip, on_sha256=order.append)
    assert order == [hashlib.sha256(clip.read_bytes()).hexdigest(), "open"]


def test_another_detector_than_the_models_is_refused(tmp_path):
    with pytest.raises(ModelError, match="trained with the detector 'other', got 'mtcnn'"):
        load_scanner(ScanSettings(model=str(write_tiny_model(tmp_path, detector="other"))))


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_a_threshold_outside_is_refused(threshold):
    with pytest.raises(SettingsError, match="threshold must be 0 to 1"):
        ScanSettings(threshold=threshold)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_instead_of_waited_for(scanner, tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    reason = scanner.scan(tmp_path / "pipe.mp4").reason
    assert reason == "must be a regular file, no pipe or device"


def test_a_folder_has_no_fingerprint(tmp_path):
    with pytest.raises(MediaError, match="a folder, not a file"):
        fingerprint(tmp_path)


def test_a_null_character_in_a_path_is_a_sentence(scanner):
    assert scanner.scan("a\0b.mp4").reason == "a path must not hold a null character"


def test_models_that_judge_together_cut_their_own_crops_and_tell_when_they_disagree(tmp_path, clip):
    from tiny_model import tiny_graph

    first = write_tiny_model(tmp_path / "a", thresholds={"fake_at_least": 0.0, "real_at_most": 0.0})
    alone = load_scanner(ScanSettings(model=str(first))).scan(clip)
    assert alone.outcome.value == "fake"
    cards = {
        name: write_tiny_model(tmp_path / name, tiny_graph(48), name=name, size_px=48, thresholds=limits)
        for name, limits in {
            "same": {"fake_at_least": 0.0, "real_at_most": 0.0},
            "other": {"fake_at_least": 1.0, "real_at_most": 1.0 - 1e-9},
        }.items()
    }
    agreed = load_scanner(ScanSettings(model=str(first), beside=(str(cards["same"]),))).scan(clip)
    assert (agreed.outcome, agreed.p_fake) == (alone.outcome, alone.p_fake)
    assert "same says fake" in agreed.reason and agreed.people == alone.people
    differing = load_scanner(ScanSettings(model=str(first), beside=(str(cards["other"]),))).scan(clip)
    assert differing.outcome.value == "unsure" and differing.p_fake == alone.p_fake
    assert differing.reason.startswith("the models disagree: tiny says fake")
    with pytest.raises(ModelError, match="different names, got 'tiny' twice"):
        load_scanner(ScanSettings(model=str(first), beside=(str(first),)))


def test_a_film_on_its_head_is_judged_and_says_so(scanner, clip, tmp_path):
    views = [np.ascontiguousarray(view[::-1, ::-1]) for view in moving_views(20)]
    upright, verdict = scanner.scan(clip), scanner.scan(write_clip(tmp_path / "down.mp4", views))
    assert verdict.reasons[-1].code == "turned" and verdict.outcome == upright.outcome
    assert verdict.p_fake == pytest.approx(upright.p_fake, abs=0.02)
    (person,) = verdict.people
    assert len(person.frames) == 20
    x0, y0, x1, y1 = upright.people[0].frames[0].box
    assert person.frames[0].box == pytest.approx((200 - x1, 160 - y1, 200 - x0, 160 - y0), abs=4)
    assert "turned" not in {reason.code for reason in upright.reasons}


def test_a_film_is_searched_on_its_head_only_until_somebody_was_found(scanner, tmp_path, monkeypatch):
    nobody = [np.full((160, 200, 3), 90 + n % 5, np.uint8) for n in range(20)]
    searched = []
    monkeypatch.setattr(pipeline, "find_turned", lambda clip, *_: searched.append(clip) or ())
    looks = list(scanner.watch(write_clip(tmp_path / "a.mp4", [*nobody, *moving_views(20), *nobody])))
    assert len(looks) == 3 and len(searched) == 1


def test_a_network_that_ran_leaves_nothing_behind_that_could_be_told_to_others(tmp_path):
    """onnxruntime would keep a number for this machine, and events to send, in the user's folders."""
    code = "import sys, time, unmask\nclip = unmask.read_clip(sys.argv[1], unmask.DecodeSettings(frames=1))\n"
    code += "assert unmask.find_faces(clip)\ntime.sleep(1)\n"
    places = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    example = Path(__file__).resolve().parents[1] / "examples" / "portrait_real.mp4"
    command = [sys.executable, "-c", code, str(example)]
    subprocess.run(command, env=environment | places, capture_output=True, check=True, timeout=300)
    assert list(tmp_path.rglob("*")) == []
