"""The page of a data set, counted and looked at in a real browser; and the players for notebooks."""

import re
import time
from collections import Counter

import numpy as np
import pytest

from data_sets import write_labels, write_set
from index_frames import frame_of
from portraits import moving_views, write_clip
from unmask.data import index, write_index_file
from unmask.errors import DataError, MediaError
from unmask.lab.datasets.audit import AuditSettings, audit_index
from unmask.lab.datasets.explore import explore_index, look_at_sample
from unmask.lab.datasets.split import SplitSettings, split_index
from unmask.lab.pages.exploration import exploration_page
from unmask.lab.pages.mosaic import choose_originals, make_mosaic, make_mosaics
from unmask.lab.pages.players import play_side_by_side, play_video
from unmask.video.encoding import MAX_BYTES


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_set(tmp_path_factory.mktemp("set") / "dfdc")
    rows = {"<img src=x onerror=alert(1)>.mp4": ("FAKE", "gone.mp4"), "lost.mp4": ("REAL", None)}
    write_labels(folder / "part_2", rows)
    write_clip(folder / "part_2" / "<img src=x onerror=alert(1)>.mp4", moving_views(4))
    return folder


@pytest.fixture(scope="module")
def frame(folder):
    return split_index(index(folder), SplitSettings(shares={"train": 0.5, "test": 0.5}))


class TestCounts:
    def test_by_split_and_in_all(self, frame):
        found = explore_index(frame)
        assert [row.name for row in found.counts] == [
            *sorted(set(frame.split), key=["train", "test"].index),
            "all",
        ]
        last = found.counts[-1]
        assert (last.total, last.fake, last.real, last.originals, last.absent) == (7, 4, 3, 4, 1)
        assert sum(row.total for row in found.counts[:-1]) == last.total
        assert found.upsampling["all"] == ("real", pytest.approx(4 / 3))
        assert found.fakes_per_original == {2: 1, 1: 2, 0: 1}
        assert found.statuses == {"ok": 7, "missing": 1} and found.hours == pytest.approx(
            7.6 / 3600, rel=0.02
        )

    def test_the_sample_of_dfdc_as_its_notebooks_count_it(self):
        """323 fake, 77 real, 209 originals of which most are not in the set."""
        frame = frame_of(209, fakes=2)
        fakes = frame[frame.label == "FAKE"].iloc[:323]
        reals = frame[frame.label == "REAL"].iloc[-77:]
        import pandas

        found = explore_index(pandas.concat([fakes, reals]))
        assert (found.counts[-1].fake, found.counts[-1].real) == (323, 77)
        assert found.upsampling["all"] == ("real", pytest.approx(323 / 77))

    def test_without_labels_or_probing(self, tmp_path):
        (tmp_path / "a.mp4").write_bytes(b"")
        plain = index(tmp_path, probe=False)
        found = explore_index(plain)
        assert found.hours is None and not found.upsampling
        assert "without opening" in exploration_page(plain, found, title="plain")

    def test_a_sample_is_looked_at(self, frame):
        looks = look_at_sample(frame, videos=5, faces=3)
        assert len(looks) == 5 and all(0 < look.brightness < 255 for look in looks)
        assert [look.face is not None for look in looks] == [True, True, True, False, False]
        assert looks[0].face.shape == (112, 112, 3)
        beside = look_at_sample(frame, videos=3, jobs=2)
        assert [look.name for look in beside] == [look.name for look in looks[:3]]


class TestMosaic:
    def test_shows_the_original_with_most_fakes_and_where_they_differ(self, frame):
        assert choose_originals(frame, 5) == ["a.mp4", "b.mp4"]
        mosaic = make_mosaic(frame, "a.mp4")
        assert [(tile.name, tile.kind) for tile in mosaic.tiles] == [
            ("a.mp4", "REAL"), ("a1.mp4", "FAKE"), ("a1.mp4", "difference"),
            ("a2.mp4", "FAKE"), ("a2.mp4", "difference"),
        ]  # fmt: skip
        assert mosaic.tiles[4].changed == 0 and mosaic.tiles[2].changed == pytest.approx(
            3000 / 32000, rel=0.2
        )
        assert mosaic.seconds == pytest.approx(1.2, abs=0.05) and len(mosaic.video) < MAX_BYTES

    def test_tiles_are_in_step(self, frame, tmp_path):
        from unmask.video import read_clip

        mosaic = make_mosaic(frame, "a.mp4")
        (tmp_path / "mosaic.mp4").write_bytes(mosaic.video)
        images = [one.picture.rgb() for one in read_clip(tmp_path / "mosaic.mp4").frames]
        width, height = mosaic.tile_size
        (left, top), (fake_left, fake_top) = mosaic.tiles[0].place, mosaic.tiles[3].place
        for image in images:
            real = image[top : top + height, left : left + width].astype(int)
            copy = image[fake_top : fake_top + height, fake_left : fake_left + width]
            assert np.abs(real - copy).mean() < 3
        assert len(images) == 12

    def test_a_clip_that_breaks_is_left_out_with_the_reason(self, folder, frame):
        broken = frame.copy()
        broken.loc["a1.mp4", "path"] = str(folder / "part_0" / "metadata.json")
        mosaic = make_mosaic(broken, "a.mp4")
        assert len(mosaic.tiles) == 3 and "a1.mp4" in mosaic.left_out
        with pytest.raises(DataError, match="must be a usable video"):
            make_mosaic(frame, "lost.mp4")

    def test_is_made_in_a_child_process(self, frame, monkeypatch):
        first, second = make_mosaics(frame, ["b.mp4", "a.mp4"])
        assert (first.original, second.original) == ("b.mp4", "a.mp4")
        assert second == make_mosaic(frame, "a.mp4")
        monkeypatch.setattr("unmask.lab.pages.apart._LIMIT_SECONDS", 1e-6)
        with pytest.raises(MediaError, match=r"a\.mp4: given up: its worker took longer"):
            make_mosaics(frame, ["a.mp4"])
        with pytest.raises(DataError, match="must be a usable video"):
            make_mosaics(frame, ["a.mp4", "lost.mp4"])


@pytest.fixture(scope="module")
def page(frame, tmp_path_factory):
    found = explore_index(frame)
    found.looks = look_at_sample(frame, videos=6, faces=6)
    found.people = {"REAL": Counter({1: 3})}
    audit = audit_index(frame, AuditSettings(frames=3))
    html = exploration_page(
        frame, found, title="Portraits", mosaics=[make_mosaic(frame, "a.mp4")], audit=audit
    )
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(html, encoding="utf-8")
    return file


class TestPage:
    def test_needs_nothing_from_outside_and_escapes_names(self, page):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r'https?://|(src|href)="(?!data:)', text)
        assert "<img src=x" not in text and "&lt;img src=x onerror=alert(1)&gt;.mp4" in text
        assert "a2.mp4: the face did not change" in text and "lost.mp4" in text
        assert len(text) < 3_000_000

    def test_plays_in_a_browser(self, page, browser):
        said, asked = [], []
        tab = browser.new_page(viewport={"width": 1200, "height": 900})
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(page.as_uri())
        played, end = 0.0, time.monotonic() + 60
        while played <= 0.3 and time.monotonic() < end:  # The page's policy forbids to wait in it.
            tab.wait_for_timeout(100)
            played = tab.evaluate("document.querySelector('.player video').currentTime")
        tab.screenshot(path=page.with_suffix(".png"), full_page=True)
        video = tab.evaluate("(v => [v.duration, v.videoWidth])(document.querySelector('video'))")
        levels = tab.evaluate(
            "[...document.querySelectorAll('canvas')].map(c => Math.max(...c.getContext('2d')"
            ".getImageData(0, 0, c.width, c.height).data.filter((_, i) => i % 4 == 0)))"
        )
        tab.click(".player button")
        paused = tab.evaluate("document.querySelector('video').paused")
        tab.set_viewport_size({"width": 390, "height": 800})
        overflow = tab.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert played > 0.3 and not said
        assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
        assert video[0] == pytest.approx(1.2, abs=0.1) and paused and not overflow
        # Real, fake, their difference, the copy; a copy differs nowhere, so its difference is dim.
        assert len(levels) == 5 and min(levels[:4]) > 150 and levels[4] < 110
        assert page.with_suffix(".png").stat().st_size > 50_000


class TestPlayers:
    def test_show_html_of_their_own(self, folder, frame, tmp_path):
        one = play_video("a.mp4", frame)._repr_html_()
        assert one.startswith("<iframe srcdoc=") and "data:video/mp4;base64" in one
        assert "data:video/mp4" in play_video(str(folder / "part_0" / "a.mp4"))._repr_html_()
        write_index_file(frame, tmp_path / "index.csv")
        assert "a1.mp4" in play_side_by_side("a.mp4", tmp_path / "index.csv")._repr_html_()

    def test_by_name_in_the_current_folder(self, folder, monkeypatch):
        monkeypatch.chdir(folder)
        assert "b1.mp4" in play_side_by_side("b.mp4").html
        with pytest.raises(DataError, match=r"'x\.mp4' must be a video of the index or a file"):
            play_video("x.mp4")
