import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from films import LIMITS, film, interview, person
from judged_files import judged_file, told_of
from unmask.judge.calibration import Calibration
from unmask.judge.card import card_path, read_card
from unmask.report.film import film_strip, stretches
from unmask.report.looking import look_again, pick_frames
from unmask.report.moments import faces_along, frames_of_stretches
from unmask.report.page import report_page
from unmask.report.pdf import print_text
from unmask.report.people import people
from unmask.report.seen import Facts, Glimpse, Pictures, Seen, Strip

JPEG = cv2.imencode(".jpg", np.full((8, 8, 3), 90, np.uint8))[1].tobytes()


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    from tiny_model import write_tiny_model

    found = read_card(write_tiny_model(tmp_path_factory.mktemp("model")))
    return replace(found, calibration=Calibration(real_mean=-2.0, real_std=1.5))


def _glimpse(spot):
    return Glimpse(spot.person, spot.frame.time_seconds, spot.p_fake, JPEG)


def story_of(verdict, card, **options):
    along = tuple(map(_glimpse, faces_along(verdict)))
    cards = tuple(map(_glimpse, frames_of_stretches(verdict)))
    facts = Facts("0" * 64, 1, "mp4", "h264", 640, 360)
    seen = Seen(facts=facts, still=JPEG, along=along, stretches=cards)
    return told_of(verdict, card, LIMITS, seen=seen, **options)


def opened(browser, page, folder, *, width=1000):
    (folder / "film.html").write_text(page, encoding="utf-8")
    shown = browser.new_page(viewport={"width": width, "height": 800})
    shown.goto((folder / "film.html").as_uri())
    return shown


def test_the_strip_has_faces_both_limits_and_ways_to_the_people(card):
    strip = film_strip(story_of(interview(), card), playable=True)
    assert strip.count("<img") == 8 and strip.count("data-at=") == 8
    assert 'href="#person-3"' in strip and "99\u00a0%" in strip.partition('class="plot"')[2]
    assert "%" not in strip.partition('<div class="timeline')[0]  # no picture has a number of its person
    assert "where the video is" in strip
    assert strip.count('class="limit ') == 3 and 'class="limit all"' in strip
    assert "among 58 looks in this film" in strip and "From 80\u00a0% on" in strip
    assert "from here it counts among all 58 looks" in strip and "from here manipulated" not in strip
    assert "<small" not in strip.partition('class="plot"')[2].partition('class="x"')[0]  # names cover nothing
    still = replace(interview(), end_seconds=0.0)
    assert film_strip(story_of(interview(), card), playable=False).count("data-at=") == 0
    assert film_strip(told_of(still, card, LIMITS), playable=False) == ""


def test_stretches_come_most_suspicious_first_with_a_frame_each(card):
    faces = [person(i, [(i, 4.0 * i, 4.0 * i + 4, 0.9 - i / 100)]) for i in range(20)]
    shown = stretches(story_of(film(faces), card), playable=True)
    alone, between = shown.split("In these it cannot be told")
    assert "suspicious by itself" in alone and "cannot tell" not in alone
    assert "cannot tell" in between and "suspicious by itself" not in between
    cards, rest = shown.split("<details")
    assert cards.count("<figure>") == 12 and rest.count("<tr>") == 1 + 8
    assert cards.index("Person 1<") < cards.index("Person 2<") < cards.index("Person 12<")
    assert "suspicious by itself" in cards and "looks manipulated" not in cards


@pytest.mark.parametrize(("language", "said"), [("en", "A picture of each"), ("de", "Ein Bild jeder")])
def test_a_clip_of_one_shot_has_a_picture_a_person_and_no_flat_curve(card, language, said):
    one = film([person(i, [(0, 0.0, 4.0, 0.4)]) for i in range(2)], shots=1, looks=2)
    strip = film_strip(story_of(one, card, language=language), playable=True)
    assert strip.count("<img") == 2 and "plot" not in strip and said in strip
    long = film([person(0, [(0, 0.0, 40.0, 0.4)])], shots=1, seconds=40.0, looks=4)
    drawn = film_strip(story_of(long, card), playable=True)
    assert drawn.count("<img") == 1 and 'class="plot"' in drawn


@pytest.mark.parametrize(
    ("count", "language", "titles"),
    [
        (1, "en", ["The only judged frame"]),
        (6, "en", ["All 6 judged frames, in order of time"]),
        (6, "de", ["Alle 6 beurteilten Bilder, der Zeit nach"]),
        (7, "en", ["Most suspicious frames", "Least suspicious frames"]),
    ],
)
def test_few_judged_frames_stand_in_one_row_in_order_of_time(card, count, language, titles):
    somebody = person(0, [(0, 0.0, count - 1.0, 0.5)], step=1.0)
    frames = [replace(one, p_fake=(i * 3 % count) / 10) for i, one in enumerate(somebody.frames)]
    somebody = replace(somebody, frames=tuple(frames))
    most, least = pick_frames(somebody)
    strips = [tuple(Strip(one.time_seconds, one.p_fake, JPEG) for one in some) for some in (most, least)]
    told = story_of(film([somebody], shots=1, looks=1), card, language=language)
    shown = people(replace(told, seen=replace(told.seen, people=(Pictures(0, *strips),))), playable=True)
    assert re.findall("<h4>(.*?)</h4>", shown) == titles
    times = [float(time) for time in re.findall(r'data-at="([\d.]+)"', shown)]
    assert len(times) == min(count, 8) and (len(titles) == 2 or times == sorted(times))


def test_a_clip_of_one_look_has_no_list_of_stretches(card):
    one = film([person(0, [(0, 0.0, 4.0, 0.9)])], shots=1, looks=1)
    assert stretches(story_of(one, card), playable=True) == ""


def test_a_blip_of_five_seconds_gets_a_small_chart_and_the_film_the_whole_width(browser, card, tmp_path):
    page = report_page(story_of(interview(), card), tmp_path / "film.mp4", folder=tmp_path)
    shown = opened(browser, page, tmp_path)
    widths = {
        name: shown.get_by_role("slider", name=re.compile(name)).bounding_box()["width"]
        for name in ("Most suspicious face", "Person 3: score", "Person 1: score")
    }
    assert widths["Person 3: score"] < 300 < 800 < widths["Most suspicious face"]
    shown.get_by_role("link", name="Person 3").first.click()
    assert shown.evaluate("location.hash") == "#person-3"
    assert shown.locator("#person-3 h3").evaluate("h => h.getBoundingClientRect().top") < 800


@pytest.mark.parametrize("width", [360, 1200])
def test_an_hour_stays_readable(browser, card, tmp_path, width):
    faces = [
        person(i, [(j, 4.0 * j, 4.0 * j + 4, 0.5) for j in range(i, 900, 30)], step=2.0) for i in range(30)
    ]
    page = report_page(story_of(film(faces, shots=900), card), tmp_path / "film.mp4", folder=tmp_path)
    assert len(page) < 400_000
    shown = opened(browser, page, tmp_path, width=width)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.evaluate("[...document.images].every(i => i.getBoundingClientRect().right <= innerWidth)")
    assert shown.locator(".along img:visible").count() == (4 if width == 360 else 8)
    assert shown.locator(".timeline .x span:visible").all_inner_texts()[-1].endswith("s") is False


@pytest.mark.parametrize("shot", [0, 3, 19])
def test_a_phone_keeps_face_and_name_of_the_most_suspicious_one(browser, card, tmp_path, shot):
    calm = person(0, [(i, 4.0 * i, 4.0 * i + 4, 0.1) for i in range(20) if i != shot])
    one = person(1, [(shot, 4.0 * shot, 4.0 * shot + 4, 0.99)])
    page = report_page(story_of(film([calm, one]), card), tmp_path / "film.mp4", folder=tmp_path)
    shown = opened(browser, page, tmp_path, width=360)
    assert shown.locator(".along > div:visible").count() == 4
    assert shown.locator(".along a:visible", has_text="Person 2").count() == 1


def test_a_report_on_many_faces_fills_its_printed_pages(chromium, tmp_path):
    """Six people, file, method and limits on four pages; a fifth would hold a few lines."""
    nine = film([person(i, [(0, 0.0, 6.0, 0.9 - i / 20)]) for i in range(9)], shots=1, seconds=6.0, looks=9)
    strips = tuple(Strip(i / 2, 0.5, JPEG) for i in range(6))
    told = story_of(nine, read_card(card_path()))
    shown = replace(told.seen, people=tuple(Pictures(i, strips[:3], strips[3:]) for i in range(6)))
    page = report_page(replace(told, seen=shown), tmp_path / "film.mp4", folder=tmp_path)
    print_text(page, tmp_path / "film.pdf")
    pages = re.findall(rb"/Type\s*/Page\b(?!s)", (tmp_path / "film.pdf").read_bytes())
    assert len(pages) == 4


def test_no_table_is_cut_off_on_a_phone(browser, card, tmp_path):
    faces = [person(i, [(i, 4.0 * i, 4.0 * i + 4, 0.9 - i / 100)]) for i in range(20)]
    page = report_page(story_of(film(faces), card), tmp_path / "film.mp4", folder=tmp_path)
    shown = opened(browser, page, tmp_path, width=360)
    shown.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    cut = shown.locator(".scroll").evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).length"
    )
    assert shown.locator(".scroll td:visible").count() > 20 and cut == 0


def test_on_paper_nobody_is_asked_to_choose_and_pages_are_full(browser, card, tmp_path):
    faces = [person(i, [(i, 4.0 * i, 4.0 * i + 4, 0.9 - i / 100)]) for i in range(20)]
    page = report_page(story_of(film(faces), card), tmp_path / "film.mp4", folder=tmp_path)
    shown = opened(browser, page, tmp_path, width=700)
    assert "Choose" in shown.inner_text("main")
    shown.emulate_media(media="print")
    assert "Choose" not in shown.inner_text("main") and "Examine" not in shown.inner_text("main")
    height = shown.evaluate("document.documentElement.scrollHeight")
    pdf = shown.pdf(width="700px", height="1000px", margin={}, prefer_css_page_size=False)
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
    assert pages <= height / (1000 - 2 * 61) * 1.25 + 1  # what a page lacks is less than a quarter of it


def test_pictures_are_found_again_at_thirty_frames_a_second(tmp_path):
    import unmask
    from portraits import moving_views, write_clip
    from unmask.video import open_film

    _, _, options = judged_file(tmp_path / "other")
    source = write_clip(tmp_path / "clip.mp4", moving_views(30, brightness=60), fps=30)
    verdict = unmask.scan(source, model=options.settings.model)
    times = [open_film(source).survey.seconds(time) for time in open_film(source).times]
    assert any(one.time_seconds not in times for one in verdict.people[0].frames)  # told in six digits
    seen = look_again(verdict, source, replace(options, heat_map=False))
    assert len(seen.people[0].most) == 4 and len(seen.along) == 1 and seen.still


def test_who_is_suspicious_and_has_no_stretch_is_named_beside_the_list(card):
    faces = [person(i, [(i, 4.0 * i, 4.0 * i + 4, 0.5)]) for i in range(3)]
    verdict = film(faces)
    told = "Not counted, as too little is seen of them"
    assert told not in stretches(story_of(verdict, card), playable=False)
    thin = replace(verdict, segments=tuple(one for one in verdict.segments if one.person != 1))
    shown = stretches(story_of(thin, card), playable=False)
    assert told in shown and "person 2 (4.0 - 8.0 s, 50\u00a0%)" in shown
