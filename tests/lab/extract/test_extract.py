"""Extraction: what comes out, that it is the same whatever happens on the way, and what is refused."""

import json
import os
import resource
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from footage import LABELS, contents, write_footage
from inline_crew import KILLED, InlineCrew
from portraits import moving_views, write_clip
from unmask.data import index
from unmask.errors import DataError, SettingsError
from unmask.lab.crops.shards import CropReader, check_shards, read_index
from unmask.lab.extract.estimate import estimate
from unmask.lab.extract.manifest import count_manifest, read_manifest
from unmask.lab.extract.plan import ExtractSettings, Video, make_plan, videos_of_index
from unmask.lab.extract.run import extract
from unmask.lab.extract.store import CropStore
from unmask.lab.extract.worker import VideoTask, load_extractor
from unmask.reasons import because
from unmask.work.pool import Failure

SETTINGS = ExtractSettings(frames=6, videos_per_shard=4)


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    return write_footage(tmp_path_factory.mktemp("footage") / "part_0")


@pytest.fixture(scope="module")
def plan(footage):
    return make_plan(videos_of_index(index(footage, probe=False)), SETTINGS)


@pytest.fixture(scope="module")
def extractor():
    return load_extractor(SETTINGS)


@pytest.fixture(scope="module")
def answers(plan, extractor):
    """What comes of each task, so that the detector need not run in every test."""
    known = {}

    def do(task, tell):
        guide = task.guide and task.guide["name"]
        if (task.video.name, guide) not in known:
            known[task.video.name, guide] = extractor(task, tell)
        return known[task.video.name, guide]

    return do


def run(plan, folder, crew):
    with CropStore(folder, plan) as store:
        extract(store, crew)
    return contents(folder)


@pytest.fixture(scope="module")
def crops(plan, answers, tmp_path_factory):
    """The folder that an undisturbed run leaves."""
    folder = tmp_path_factory.mktemp("extracted") / "crops"
    run(plan, folder, InlineCrew(answers))
    return folder


def test_every_video_has_its_line(crops):
    manifest = read_manifest(crops)
    assert set(manifest.index) == set(LABELS)
    status = manifest["status"].to_dict()
    assert {name for name in status if status[name] == "done"} == {
        name for name in LABELS if name not in ("broken.mp4", "lost.mp4", "nobody.mp4")
    }
    assert status["nobody.mp4"] == "no_face" and status["broken.mp4"] == status["lost.mp4"] == "unreadable"
    assert manifest.loc["lost.mp4", "reason"] == "missing"
    assert "no video or image" in manifest.loc["broken.mp4", "reason"]
    assert manifest.loc["nobody.mp4", "reason"] == "no face was found"
    assert count_manifest(crops) == {
        "videos": 10,
        "status": {"done": 7, "no_face": 1, "unreadable": 2},
        "people": 7,
        "crops": 42,
    }


def test_boxes_of_one_serve_its_family_where_they_fit(crops):
    boxes = read_manifest(crops)["boxes"]
    assert boxes["amy_1.mp4"] == boxes["amy_2.mp4"] == "of amy.mp4"
    assert boxes["orphan_2.mp4"] == "of orphan_1.mp4"  # the original is not there
    assert boxes["ben_late.mp4"].startswith("own, as those of ben.mp4 do not fit: no face was found at")
    samples = {sample.video: sample for sample in read_index(crops)}
    assert (samples["amy.mp4"].boxes == samples["amy_1.mp4"].boxes).all()
    found = samples["ben_late.mp4"].boxes - samples["ben.mp4"].boxes
    assert np.abs(found).max() > 5


def test_samples_carry_what_is_known(crops):
    sample = next(sample for sample in read_index(crops) if sample.video == "amy_1.mp4")
    assert (sample.key, sample.label, sample.identity) == ("part_0_amy_1-p0", "FAKE", "amy")
    assert (sample.original, sample.source, sample.split) == ("part_0_amy-p0", "part_0", "train")
    assert len(sample) == len(sample.boxes) == len(sample.confidences) == 6
    assert (np.diff(sample.times_seconds) > 0).all() and (sample.confidences > 0.9).all()
    reader = CropReader(crops)
    for number in range(len(sample)):
        image, points = reader.read(sample, number)
        assert image.shape[0] == image.shape[1]
        assert (np.abs(points - len(image) / 2) < len(image) / 4).all()


def test_others_can_read_the_tars(crops):
    """As WebDataset does: files of one sample stand together and share their name up to the first dot."""
    names, described = [], {}
    for shard in sorted(crops.glob("*.tar")):
        with tarfile.open(shard) as tar:
            for member in tar:
                key, _, ending = member.name.partition(".")
                names.append(key)
                if ending == "json":
                    described[key] = json.load(tar.extractfile(member))
    groups = [name for place, name in enumerate(names) if place == 0 or names[place - 1] != name]
    assert groups == [sample.key for sample in read_index(crops)] == list(described)
    assert described["part_0_amy_1-p0"]["label"] == "FAKE"
    assert len(described["part_0_amy_1-p0"]["boxes"]) == 6


def test_families_share_a_shard_and_shards_are_whole(crops, plan):
    shards = {sample.video: sample.shard for sample in read_index(crops)}
    assert shards["amy.mp4"] == shards["amy_1.mp4"] == shards["amy_2.mp4"]
    assert len(set(shards.values())) > 1
    check_shards(crops, read_index(crops))


@pytest.mark.parametrize("workers", [2, 5])
def test_the_number_of_workers_changes_no_byte(crops, plan, answers, tmp_path, workers):
    crew = InlineCrew(answers, workers=workers)
    assert run(plan, tmp_path / "crops", crew) == contents(crops)
    assert sorted(crew.done) == sorted(video.name for video in plan.videos if not video.problem)


def test_a_zip_gives_the_same_crops(crops, footage, extractor, tmp_path):
    archive = tmp_path / f"{footage.name}.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for file in footage.iterdir():
            zipped.write(file, file.name)
    packed = make_plan(videos_of_index(index(archive, probe=False)), SETTINGS)
    assert packed.videos[0].path.startswith("zip://")
    with extractor.opener:
        assert run(packed, tmp_path / "crops", InlineCrew(extractor)) == contents(crops)


class Killed(BaseException):
    """Nothing can catch it and go on."""


@pytest.mark.parametrize("place", range(3, 31, 4))
def test_a_run_killed_at_any_write_goes_on_to_the_same_end(
    crops, plan, answers, tmp_path, monkeypatch, place
):
    """Dies at the place-th time that it would rename or remove a file, and does nothing more."""
    left = place

    def mortal(function):
        def call(*args, **kwargs):
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return function(*args, **kwargs)

        return call

    first = InlineCrew(answers, workers=2)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", mortal(Path.replace))
        patch.setattr(Path, "unlink", mortal(Path.unlink))
        with pytest.raises(Killed):
            run(plan, tmp_path / "crops", first)
    kept = {int(file.stem) for file in (tmp_path / "crops").rglob("*.part")}
    second = InlineCrew(answers, workers=2)
    assert run(plan, tmp_path / "crops", second) == contents(crops)
    again = set(first.done) & set(second.done)
    assert len(again) <= 2  # at most what was in flight
    assert not again & {plan.videos[number].name for number in kept}


def test_a_finished_run_does_nothing_more(crops, plan, answers, tmp_path):
    before = run(plan, tmp_path / "crops", InlineCrew(answers))
    crew = InlineCrew(answers)
    assert run(plan, tmp_path / "crops", crew) == before
    assert crew.done == []


def test_a_full_disk_stops_and_resumes(crops, plan, answers, tmp_path):
    """A limit on the size of files stands in for the disk: no shard can be written, every part can."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in crops.glob("*.tar"))
    crew = InlineCrew(answers)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest - 1000, limit[1]))
    try:
        with pytest.raises(DataError, match=r"File too large; allow larger .* goes on where it stopped"):
            run(plan, tmp_path / "crops", crew)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert not list((tmp_path / "crops").rglob("*.tmp"))
    rest = InlineCrew(answers)
    assert run(plan, tmp_path / "crops", rest) == contents(crops)
    assert not set(crew.done) & set(rest.done)


def test_a_part_cut_short_is_done_again(crops, plan, answers, tmp_path):
    with CropStore(tmp_path / "crops", plan) as store:
        task = next(number for number, video in enumerate(plan.videos) if video.name == "amy.mp4")
        (tmp_path / "crops/.unfinished/parts" / f"{task:07d}.part").write_bytes(
            b'{"bytes": 9, "crc32": 1}\nx'
        )
    with CropStore(tmp_path / "crops", plan) as store:
        assert task not in store.done
    assert run(plan, tmp_path / "crops", InlineCrew(answers)) == contents(crops)


def test_a_killed_worker_costs_nothing_but_time(crops, plan, answers, tmp_path):
    left = {"amy.mp4": 2, "ben.mp4": 1}

    def fate(task):
        left[task.video.name] = left.get(task.video.name, 0) - 1
        return KILLED if left[task.video.name] >= 0 else None

    crew = InlineCrew(answers, workers=2, fate=fate)
    assert run(plan, tmp_path / "crops", crew) == contents(crops)


def test_a_video_that_kills_its_workers_is_given_up(plan, answers, tmp_path):
    crew = InlineCrew(answers, fate=lambda task: KILLED if task.video.name == "amy.mp4" else None)
    run(plan, tmp_path / "crops", crew)
    manifest = read_manifest(tmp_path / "crops")
    assert manifest.loc["amy.mp4", "reason"] == "given up: its worker ended with SIGKILL"
    assert crew.done.count("amy.mp4") == 3
    assert manifest.loc["amy_1.mp4", "boxes"] == "own"  # nobody to take them from
    assert set(manifest.index) == set(LABELS)


def test_when_everything_fails_nothing_is_recorded(tmp_path):
    many = make_plan([Video(f"{n}.mp4", f"/nowhere/{n}.mp4") for n in range(30)], SETTINGS)
    crew = InlineCrew(None, workers=2, fate=lambda task: Failure(because("unreadable", text="no such file")))
    with pytest.raises(DataError, match=r"60 attempts failed one after the other.*no such file"):
        run(many, tmp_path / "crops", crew)
    assert not list((tmp_path / "crops").rglob("*.part"))


def test_a_file_that_went_away_is_tried_again_and_then_given_up(plan, footage, extractor, tmp_path):
    (task,) = [v for v in plan.videos if v.name == "nobody.mp4"]
    gone = make_plan([task, Video("gone.mp4", str(footage / "gone.mp4"))], SETTINGS)
    crew = InlineCrew(extractor)
    run(gone, tmp_path / "crops", crew)
    assert crew.done.count("gone.mp4") == 3
    assert "no such file" in read_manifest(tmp_path / "crops").loc["gone.mp4", "reason"]


def test_another_extraction_is_refused(plan, answers, tmp_path):
    run(plan, tmp_path / "crops", InlineCrew(answers))
    other = make_plan(plan.videos, ExtractSettings(frames=7))
    with pytest.raises(DataError, match="other settings"), CropStore(tmp_path / "crops", other):
        pass


def test_a_folder_with_other_files_is_refused(plan, tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match="holds other files"), CropStore(tmp_path, plan):
        pass


def test_two_runs_in_one_folder_are_refused(plan, tmp_path):
    second = CropStore(tmp_path / "crops", plan)
    with CropStore(tmp_path / "crops", plan), pytest.raises(DataError, match="another run"), second:
        pass


def test_a_shard_that_was_changed_under_way_is_named(plan, answers, tmp_path):
    class StopError(Exception):
        pass

    def stop(part):
        if list((tmp_path / "crops").glob("*.tar")):
            raise StopError

    with pytest.raises(StopError), CropStore(tmp_path / "crops", plan) as store:
        extract(store, InlineCrew(answers), on_done=stop)
    (shard,) = (tmp_path / "crops").glob("*.tar")
    os.truncate(shard, 1000)
    with pytest.raises(DataError, match=f"{shard.name} must have"), CropStore(tmp_path / "crops", plan):
        pass


def test_a_truncated_shard_is_named_with_what_is_left(crops, tmp_path):
    for name, data in contents(crops).items():
        (tmp_path / name).write_bytes(data)
    samples = read_index(tmp_path)
    in_first = [sample for sample in samples if sample.shard == samples[0].shard]
    os.truncate(tmp_path / samples[0].shard, in_first[-1].end - 1)
    with pytest.raises(DataError, match=f"{samples[0].shard} must hold {len(in_first)} people, .* cut short"):
        check_shards(tmp_path, samples)


def test_the_plan_says_what_it_will_cost(plan, answers):
    found = estimate(plan, InlineCrew(answers), families=3)
    assert (found.videos, found.skipped, found.followers) == (10, 1, 4)
    assert (
        found.status["done"] + found.status.get("unreadable", 0) + found.status.get("no_face", 0)
        == found.sampled
    )
    assert 3 <= found.sampled <= 6
    assert 0 < found.cpu_seconds < 60 and found.hours(2) == found.cpu_seconds / 7200
    assert found.bytes > 10_000


def test_png_loses_nothing(plan, tmp_path):
    settings = ExtractSettings(frames=2, quality=None)
    video = next(v for v in plan.videos if v.name == "amy.mp4")
    run(make_plan([video], settings), tmp_path / "crops", InlineCrew(load_extractor(settings)))
    with tarfile.open(tmp_path / "crops/crops-00000.tar") as tar:
        assert tar.getnames()[0].endswith(".000.png")
    (sample,) = read_index(tmp_path / "crops")
    assert CropReader(tmp_path / "crops").read(sample, 1)[0].std() > 10


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"quality": 0}, "quality must be 1 to 100"),
        ({"frames": 0}, "frames must be 1 to 10000"),
        ({"max_side_px": 1}, "max_side_px must be 32 to 2048"),
        ({"videos_per_shard": 0}, "videos_per_shard must be 1 or more"),
    ],
)
def test_settings_out_of_range_are_refused(given, words):
    with pytest.raises(SettingsError, match=words):
        ExtractSettings(**given)


def test_a_plan_does_not_depend_on_the_order_of_its_videos(plan):
    shuffled = make_plan(plan.videos[::-1], SETTINGS)
    assert (shuffled.videos, shuffled.digest) == (plan.videos, plan.digest)


def test_keys_differ_where_names_do():
    plan = make_plan([Video("a.b.mp4", "/1"), Video("a_b.mp4", "/2")], SETTINGS)
    assert len(set(plan.keys)) == 2 and not any("." in key for key in plan.keys)


def test_two_videos_of_one_name_are_refused():
    with pytest.raises(DataError, match=r"'a.mp4' more than once"):
        make_plan([Video("a.mp4", "/1"), Video("a.mp4", "/2")], SETTINGS)


def test_of_a_long_video_every_shot_is_stored(tmp_path, extractor):
    there = moving_views(20)
    way = [*there, *there[::-1]] * 3  # longer than what is taken as a whole
    write_clip(tmp_path / "film.mp4", way + [np.ascontiguousarray(image[:, ::-1]) for image in way])
    video = Video("film.mp4", str(tmp_path / "film.mp4"), label="REAL")
    part = extractor(VideoTask(0, video, "film", "film", leads=True))
    head = json.loads(part.blob.split(b"\n", 1)[0])
    samples = [json.loads(f"{line}}}") for line, _ in head["samples"]]
    assert part.record["status"] == "done" and part.record["people"] == len(samples) == 2
    assert len({sample["key"] for sample in samples}) == len(samples)
    assert part.record["crops"] == sum(len(spans) for _, spans in head["samples"])
    starts = [start for _, spans in head["samples"] for start, _ in spans]
    assert starts == sorted(set(starts)) and starts[-1] < head["bytes"]  # one behind the other


def test_a_short_clip_with_a_cut_is_still_taken_as_a_whole(tmp_path, extractor):
    there = moving_views(20)
    path = write_clip(tmp_path / "c.mp4", there + [np.ascontiguousarray(image[:, ::-1]) for image in there])
    part = extractor(VideoTask(0, Video("c.mp4", str(path), label="REAL"), "c", "c"))
    assert part.record["frames"] == SETTINGS.frames
