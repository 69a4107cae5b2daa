import json

import av
import pytest

from portraits import moving_views, write_clip
from tiny_model import write_tiny_model
from unmask.config import BatchSettings, ScanSettings
from unmask.errors import DataError, SettingsError
from unmask.lab.evaluate.clips import LabelledClip
from unmask.lab.evaluate.contenders import contender_card, list_contenders
from unmask.lab.evaluate.examine import examine, frame_logits, judge
from unmask.lab.evaluate.montage import MontageSettings, make_montage
from unmask.pipeline import load_scanner
from unmask.video import open_film, read_stretches


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    found = []
    for number in range(4):
        images = moving_views(20, brightness=20 * number)
        if number % 2:
            images = [image[:, ::-1].copy() for image in images]
        path = write_clip(folder / f"{number}.mp4", images)
        original = "0.mp4" if number == 1 else path.name
        found.append(LabelledClip(path.name, str(path), number == 1, original))
    return found


def test_the_truth_is_what_a_reader_finds(clips, tmp_path):
    settings = MontageSettings(shots=3, seconds=1.5, width=320, height=240)
    shots = make_montage(clips, tmp_path / "film.mp4", settings)
    found = [s for s in read_stretches(open_film(tmp_path / "film.mp4")) if s.opens_shot]
    assert len(shots) == 3 and shots[-1].end_seconds == pytest.approx(4.5, abs=0.1)
    assert sum(shot.fake == "1.mp4" for shot in shots) == 1
    truth = json.loads((tmp_path / "film.json").read_text())
    assert [shot["clips"] for shot in truth["shots"]] == [list(shot.clips) for shot in shots]
    cuts = {round(shot.start_seconds, 2) for shot in shots}
    assert {round(one.start_seconds, 2) for one in found} <= cuts


def test_the_same_seed_gives_the_same_truth_and_a_fake_never_stands_beside_its_original(clips, tmp_path):
    settings = MontageSettings(shots=4, seconds=0.5, people=2, fakes=4, width=320, height=120)
    one = make_montage(clips, tmp_path / "a.mp4", settings)
    assert one == make_montage(clips, tmp_path / "b.mp4", settings)
    assert all(shot.fake and "0.mp4" not in shot.clips and len(shot.clips) == 2 for shot in one)


def test_too_few_clips_are_named(clips, tmp_path):
    with pytest.raises(DataError, match="a montage needs FAKE clips, got none"):
        make_montage(clips[2:], tmp_path / "a.mp4", MontageSettings(shots=1))
    assert not list(tmp_path.iterdir())


def test_a_set_of_edited_footage_is_judged_as_it_is_scanned(clips, tmp_path):
    settings = ScanSettings(model=str(write_tiny_model(tmp_path / "model")), embedder="none")
    film = tmp_path / "film.mp4"
    make_montage(clips, film, MontageSettings(shots=4, seconds=1.5, width=320, height=240))
    labelled = [LabelledClip("film.mp4", str(film), True, "film.mp4")]
    contenders = list_contenders([settings.model], [])
    ((_, found),) = examine(labelled, contenders, settings, BatchSettings(jobs=1))
    verdict = load_scanner(settings).scan(film)
    (name,) = found.looks
    ruling = judge(found, name, contender_card(contenders[0]), settings.judge)
    told = (verdict.outcome, verdict.p_fake, verdict.reasons)
    assert (ruling.outcome, ruling.p_fake, ruling.reasons) == told
    assert len(found.looks[name]) == len(verdict.shots) > 1
    scored = [p for person in verdict.people for f in person.frames if (p := f.p_fake) is not None]
    assert len(frame_logits(found, name)) == len(scored)


def test_shots_can_fade_over_into_each_other(clips, tmp_path):
    settings = MontageSettings(shots=3, seconds=2.0, dissolve_seconds=0.6, width=320, height=240, seed=3)
    shots = make_montage(clips, tmp_path / "film.mp4", settings)
    assert shots[-1].end_seconds == pytest.approx(3 * 2 - 2 * 0.6, abs=0.1)
    assert [shot.start_seconds for shot in shots[1:]] == [shot.end_seconds for shot in shots[:-1]]
    assert shots[1].start_seconds == pytest.approx(2 - 0.3, abs=0.05)
    with av.open(str(tmp_path / "film.mp4")) as container:
        pictures = [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)]
    before, mixed, after = (pictures[place] for place in (34, 42, 51))
    assert abs(mixed - (before + after) / 2).mean() < 0.35 * abs(after - before).mean()


def test_one_clip_can_lie_in_the_corner_of_another(clips, tmp_path):
    settings = MontageSettings(shots=1, seconds=1.0, people=2, layout="inset", width=320, height=240)
    (shot,) = make_montage(clips, tmp_path / "film.mp4", settings)
    assert len(shot.clips) == 2 and shot.fake == shot.clips[0]
    with pytest.raises(SettingsError, match="people must be 1 to 5 in an inset, got 6"):
        MontageSettings(people=6, layout="inset")
    with pytest.raises(SettingsError, match="layout must be one of grid, inset, got 'heap'"):
        MontageSettings(layout="heap")
    with pytest.raises(SettingsError, match="dissolve_seconds must be 0 to half of seconds, got 3"):
        MontageSettings(dissolve_seconds=3)
