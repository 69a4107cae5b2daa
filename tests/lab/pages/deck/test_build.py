"""Slides of a large project with long names: they fit, and say no more than is there."""

from collections import Counter

import pandas
import pytest

from data_sets import write_names
from unmask.errors import DataError
from unmask.lab.datasets.video_index import index
from unmask.lab.pages.deck import training
from unmask.lab.pages.deck.build import list_slides
from unmask.lab.pages.deck.material import Case, Material, chosen_cases, kind_of, wanted_views
from unmask.lab.pages.deck.measured import Evaluation, Judged, Measured, MeasuredValue, Timing
from unmask.lab.pages.deck.page import deck_page
from unmask.lab.pages.deck.runs import Run
from unmask.verdicts import Outcome

LONG = "\u202e" + "long_name" * 30
CODES = [
    "small",
    "picture",
    "odd",
    "doubtful",
    "seldom",
    "no_face",
    "unscored",
]


def make_run(name, *, auc=0.6, loss=1.8, steps=5000, seed=0):
    points = [(float(n), loss) for n in range(1, 300)]
    settings = {f"loop.{LONG}{n}": f"{LONG}{seed}" for n in range(9)}
    return Run(name, steps, 6000, points, {"val_auc": [(100, 0.5), (200, auc)]}, 40.0, settings)


def make_model(name):
    answers = [
        Judged(f"{n}{LONG}", n % 2 == 1, f"{n - n % 2}", Outcome.UNSURE, n / 40, LONG, "nowhere")
        for n in range(40)
    ]
    figures = {
        key: MeasuredValue(0.5, 0.25, 0.75)
        for key in ("auc", "pair_accuracy", "recall", "false_alarms", "log_loss")
    }
    return Measured(name, "", 0.7, figures, (*answers, *answers[:2]))


@pytest.fixture
def crowded(tmp_path):
    frame = index(
        write_names(tmp_path, [f"{kind}/{n}.mp4" for kind in ("real", "fake") for n in range(8)]), probe=False
    )
    frame["status"] = "ok"
    frame["split"] = [f"{LONG}{n // 2}" for n in range(16)]
    outcomes = Counter({f"{LONG}{n}": n for n in range(30)})
    return Material(
        frame=frame,
        cases=[Case(f"{n}{LONG}", "no_face", why, 0, "nowhere") for n, why in enumerate(CODES)],
        cases_by="unmask extract",
        runs=[make_run(f"{n}{LONG}", auc=0.6 + n / 100, seed=n) for n in range(24)],
        evaluation=Evaluation(LONG, 20, tuple(make_model(f"{n}{LONG}") for n in range(5))),
        labels=[0.5] * 4000,
        timing=Timing(4000, outcomes, Counter(dict.fromkeys(range(3, 31), 1)), 30_000.0, 0.5),
    )


def test_a_crowded_slide_still_fits(crowded, browser, tmp_path):
    file = tmp_path / "slides.html"
    slides = list_slides(crowded, title="All of it")
    file.write_text(deck_page("All of it", slides), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    sizes = "s => [s.querySelector('h2').textContent, s.scrollHeight, s.scrollWidth]"
    assert page.locator(".slide").count() == len(slides) == 10
    for title, height, width in page.evaluate(f"[...document.querySelectorAll('.slide')].map({sizes})"):
        assert (height, width) == (720, 1280), title
    assert "\u202e" not in file.read_text(encoding="utf-8")


def test_nothing_to_show_is_refused():
    with pytest.raises(DataError, match="something to show"):
        list_slides(Material(), title="Nothing")


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ([make_run("a", auc=0.4)], "No better than chance on val after"),
        ([make_run("a", auc=0.8)], "AUC 0.800 on val after"),
        ([make_run("a", auc=0.8), make_run("b", auc=0.8)], "No run is ahead"),
        ([make_run("a", auc=0.8), make_run("b", auc=0.9)], "b does best of 2 runs: AUC 0.900"),
    ],
)
def test_curves_are_summed_up_by_what_they_show(runs, told):
    assert training.learning(Material(runs=runs)).title.startswith(told)


def test_missed_faces_are_shown_one_of_a_kind():
    cases = [Case(f"{n}", "no_face", why, 0, "somewhere") for n, why in enumerate(CODES * 3)]
    cases += [Case("lost", "no_face", "no_face", 0, ""), Case("good", "done", "", 1, "somewhere")]
    shown = chosen_cases(cases)
    assert shown[0].name == "good"
    assert len({kind_of(one.code) for one in shown[1:]}) == len(shown) - 1 == 3
    assert len({kind_of(why) for why in CODES}) == len(CODES)


def test_only_a_few_fakes_of_one_original_are_opened(tmp_path):
    frame = index(write_names(tmp_path, ["real/a.mp4", "fake/a.mp4"]), probe=False)
    fakes = [frame[frame["label"] == "FAKE"].rename({"fake/a.mp4": f"fake/{n}.mp4"}) for n in range(9)]
    frame = pandas.concat([frame, *fakes])
    (play,) = (one for one in wanted_views(Material(frame=frame)) if one.kind == "play")
    assert play.name == "real/a.mp4" and len(play.rows) == 4
