"""The command line as a user meets it: real processes, real files."""

import csv
import hashlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import textwrap
import time
import tomllib
from pathlib import Path

import jsonschema
import pytest

from portraits import moving_views, write_clip, write_image
from tiny_model import write_tiny_model
from unmask.cli.inputs import expand
from unmask.cli.terminal import printable
from unmask.judge.stored import read_verdict
from unmask.reasons import because, sentences

SLOW = """exec("import time; print('loading'); time.sleep(60)")"""  # in an exec, as dataclasses are made
PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
UNMASK = [sys.executable, "-m", "unmask"]
KEYS = [
    "schema", "path", "sha256", "outcome", "p_fake", "reason", "damaged", "people", "model", "unmask",
    "seconds",
    "stability", "start_seconds", "end_seconds", "partial", "shots", "segments", "log_odds",
    "reasons", "strength", "looks",
]  # fmt: skip


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return str(write_tiny_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """A folder with a clip and an image of a face, and what is neither."""
    folder = tmp_path_factory.mktemp("media")
    write_clip(folder / "a.mp4", moving_views(6))
    (folder / "deeper").mkdir()
    write_image(folder / "deeper" / "b.png", moving_views(1)[0])
    (folder / "notes.txt").write_text("no media")
    (folder / ".hidden.mp4").write_text("no media")
    return folder


def run(*arguments, cwd=None, env=None, timeout=120):
    return subprocess.run(
        [*UNMASK, *map(os.fspath, arguments)],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        cwd=cwd,
        env=os.environ | (env or {}),
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        check=False,
    )


def scan(card, *arguments, **options):
    return run("scan", "--model", card, *arguments, **options)


def lines(found):
    assert "Traceback" not in found.stderr
    return [json.loads(line) for line in found.stdout.splitlines()]


class TestJson:
    def test_is_one_line_an_input_and_nothing_else(self, card, media):
        found = scan(card, "--json", media, media / "a.mp4")
        verdicts = lines(found)
        assert found.returncode == 0
        assert found.stderr == ""
        assert [v["path"] for v in verdicts] == [
            str(media / "a.mp4"),
            str(media / "deeper" / "b.png"),
            str(media / "a.mp4"),
        ]

    def test_has_the_promised_fields(self, card, media):
        (verdict,) = lines(scan(card, "--json", media / "a.mp4"))
        assert list(verdict) == KEYS
        assert verdict["model"] == {"name": "tiny", "sha256": json.loads(Path(card).read_text())["sha256"]}
        assert list(verdict["seconds"]) == ["decode", "detect", "score", "total"]
        (person,) = verdict["people"]
        assert list(person) == [
            "id", "p_fake", "kept", "why_dropped", "frames", "picture", "appearances", "dropped",
            "detail_px", "drawn",
        ]  # fmt: skip
        assert len(person["frames"]) == 6
        for frame in person["frames"]:
            assert list(frame) == ["time_seconds", "box", "points", "confidence", "p_fake", "lightened"]
            assert len(frame["box"]) == 4 and [len(p) for p in frame["points"]] == [2] * 5

    def test_is_as_the_printed_schema_says_and_gives_each_sentence_as_data(self, card, media):
        schema = json.loads(run("schema").stdout)
        (found,) = lines(scan(card, "--json", media / "a.mp4"))
        jsonschema.validate(found, schema)
        verdict = read_verdict(json.dumps(found))
        assert verdict.reason == sentences(verdict.reasons)

    def test_stability_is_told_when_asked_for(self, card, media):
        (verdict,) = lines(scan(card, "--json", "--stability", media / "a.mp4"))
        assert list(verdict["stability"]) == ["stable", "outcomes", "p_fake"]
        assert len(verdict["stability"]["outcomes"]) == 5

    def test_keeps_input_order_with_several_jobs(self, card, media, tmp_path):
        names = [media / "a.mp4", *(tmp_path / f"missing-{i}.mp4" for i in range(4)), media / "a.mp4"]
        found = scan(card, "--json", "--jobs", "2", *names)
        assert [v["path"] for v in lines(found)] == [str(name) for name in names]
        assert found.returncode == 1

    def test_lines_come_while_others_are_still_scanned(self, card, media, tmp_path):
        # Files enough for seconds; the first line must not wait for them.
        paths = [str(media / "a.mp4")] * 60
        with subprocess.Popen(
            [*UNMASK, "scan", "--model", card, "--json", "--jobs", "1", *paths], stdout=subprocess.PIPE
        ) as process:
            assert json.loads(process.stdout.readline())["path"] == paths[0]
            assert process.poll() is None
            process.terminate()
            process.stdout.read()

    def test_a_reader_that_leaves_early_is_no_error(self, card, media):
        paths = [str(media / "a.mp4")] * 30
        with subprocess.Popen(
            [*UNMASK, "scan", "--model", card, "--json", *paths],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 141


class TestTable:
    def test_names_file_outcome_number_and_reason(self, card, media):
        found = scan(card, media)
        assert found.returncode == 0
        row = next(line for line in found.stdout.splitlines() if "a.mp4" in line)
        assert re.search(r"a\.mp4 +(fake|real|unsure) +[01]\.\d\d +\S", row)

    def test_tells_the_same_number_as_json_and_csv_and_none_is_certain(self, media, tmp_path):
        sure = write_tiny_model(tmp_path, calibration={"temperature": 0.001, "bias": 100.0})
        table = tmp_path / "all.csv"
        (told,) = lines(scan(sure, "--json", "--csv", table, media / "a.mp4"))
        (row,) = csv.DictReader(table.read_text().splitlines())
        shown = scan(sure, media / "a.mp4").stdout
        assert told["p_fake"] == float(row["p_fake"]) == told["people"][0]["p_fake"] == 0.99
        assert re.search(r"a\.mp4 +fake +0\.99 ", shown) and "1.00" not in shown

    def test_has_no_colours_and_no_cut_lines_in_a_pipe(self, card, tmp_path):
        long = tmp_path / ("x" * 200 + ".mp4")
        found = scan(card, long, tmp_path / "y.mp4", env={"COLUMNS": "40"})
        assert "\x1b" not in found.stdout + found.stderr
        assert any(str(long) in line and "no such file" in line for line in found.stdout.splitlines())

    def test_shows_the_people_of_a_single_file(self, card, media):
        told = scan(card, media / "a.mp4").stdout
        assert "person   p_fake   frames" in told
        assert re.search(r"^ *1 +[01]\.\d\d ", told, re.MULTILINE)  # people are numbered from 1
        assert "person   p_fake   frames" not in scan(card, media).stdout

    @pytest.mark.parametrize(("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
    def test_is_coloured_on_a_terminal_unless_told(self, card, media, env, coloured):
        output, code = on_terminal(
            "scan", "--model", card, media / "a.mp4", media / "deeper" / "b.png", env=env
        )
        assert code == 0
        assert bool(re.search(rb"\x1b\[[0-9;]*3[0-9]", output)) == coloured

    def test_hostile_names_neither_steer_the_terminal_nor_vanish(self, card, tmp_path):
        name = "[red]\x1b[2J\x07:smile:\u202egpj.mp4"
        (tmp_path / name).write_text("no video")
        for found in (scan(card, tmp_path / name), scan(card, tmp_path)):
            assert not set("\x1b\x07\u202e") & set(found.stdout + found.stderr)
            assert r"[red]\x1b[2J\x07:smile:\u202egpj.mp4" in found.stdout
        output, _ = on_terminal("scan", "--model", card, tmp_path / name)
        assert b"\x1b[2J" not in output and b"\x07" not in output


class TestCsv:
    def test_has_a_row_an_input(self, card, media, tmp_path):
        target = tmp_path / "verdicts.csv"
        assert scan(card, "--csv", target, media, tmp_path / "none, really.mp4").returncode == 1
        with target.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["path"] for row in rows] == [
            str(media / "a.mp4"),
            str(media / "deeper" / "b.png"),
            str(tmp_path / "none, really.mp4"),
        ]
        assert 0.01 <= float(rows[0]["p_fake"]) <= 0.99 and float(rows[0]["log_odds"]) != 0
        assert (rows[2]["outcome"], rows[2]["p_fake"]) == ("unreadable", "")
        assert list(tmp_path.iterdir()) == [target]

    def test_replaces_the_old_file_behind_a_link_and_keeps_its_mode(self, card, tmp_path):
        target, link = tmp_path / "old.csv", tmp_path / "link.csv"
        target.write_text("old")
        target.chmod(0o640)
        link.symlink_to(target)
        scan(card, "--csv", link, tmp_path / "none.mp4")
        assert link.is_symlink() and target.read_text().startswith("path,outcome")
        assert target.stat().st_mode & 0o777 == 0o640

    @pytest.mark.parametrize("target", ["folder", "missing/verdicts.csv", "/dev/null"])
    def test_is_refused_before_the_work_where_it_cannot_be_written(self, card, tmp_path, target):
        (tmp_path / "folder").mkdir()
        found = scan(card, "--csv", tmp_path / target, tmp_path / "none.mp4")
        assert (found.returncode, found.stdout) == (2, "")
        assert found.stderr.startswith("error: --csv ")

    def test_never_replaces_a_clip(self, card, tmp_path):
        clip = tmp_path / "first.MP4"
        clip.write_text("precious")
        assert scan(card, "--csv", clip, tmp_path / "second.mp4").returncode == 2
        assert clip.read_text() == "precious"


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--frames", "0"], "frames must be 1 to 10000, got 0"),
            (["--jobs", "0"], "jobs must be 1 to 256, got 0"),
            (["--threshold", "1.5"], "threshold must be 0 to 1, got 1.5"),
            (["--threshold", "nan"], "threshold must be 0 to 1, got nan"),
            (["--time-limit", "0"], "time_limit_seconds must be above 0, to 1e+06, got 0.0"),
            (["--model", "none.json"], "none.json: no readable model card"),
            (["--model", "weights.pt"], "given by its card, a .json file"),
        ],
    )
    def test_wrong_values_are_named(self, card, media, arguments, message):
        found = scan(card, *arguments, media / "a.mp4")
        assert (found.returncode, found.stdout) == (2, "")
        assert message in found.stderr and "Traceback" not in found.stderr

    @pytest.mark.parametrize("arguments", [["scan"], ["scan", "--nonsense", "a.mp4"], ["nonsense"]])
    def test_wrong_usage_exits_2(self, arguments):
        assert run(*arguments).returncode == 2

    def test_changed_weights_are_refused(self, media, tmp_path):
        card = write_tiny_model(tmp_path, sha256="0" * 64)
        found = scan(str(card), media / "a.mp4")
        assert found.returncode == 2
        assert "SHA-256 must be" in found.stderr

    def test_version(self):
        assert re.fullmatch(r"unmask \d+\.\d+\S*\n", run("--version").stdout)

    def test_help_shows_examples(self):
        assert "unmask scan clip.mp4" in run("scan", "--help").stdout

    def test_frames_and_threshold_reach_the_scan(self, card, media):
        (verdict,) = lines(scan(card, "--json", "--frames", "3", "--threshold", "0", media / "a.mp4"))
        assert len(verdict["people"][0]["frames"]) == 3
        assert verdict["outcome"] == "fake" or "too little" in verdict["reason"]


class TestModel:
    def test_shows_the_card_readably(self, card):
        found = run("model", card)
        assert found.returncode == 0
        for text in (
            "tiny, version 1",
            "nothing: 0.50 (0.40 to 0.60), 0 clips",
            "only knows bright from dark",
            "tests only",
        ):
            assert text in found.stdout

    def test_an_unusable_one_is_a_sentence(self, tmp_path):
        found = run("model", tmp_path / "none.json")
        assert found.returncode == 2
        assert found.stderr.startswith("error: ")


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_stops_at_once_and_keeps_what_was_done(self, card, media, tmp_path, number):
        target = tmp_path / "verdicts.csv"
        paths = [str(media / "a.mp4")] * 300
        with subprocess.Popen(
            [*UNMASK, "scan", "--model", card, "--json", "--jobs", "1", "--csv", str(target), *paths],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            first = process.stdout.readline()
            os.killpg(process.pid, number)  # as a terminal does: to parent and children
            start = time.monotonic()
            rest, errors = process.communicate(timeout=30)
            assert time.monotonic() - start < 5
        done = [json.loads(line) for line in (first + rest).splitlines()]
        assert process.returncode == 130
        assert errors == f"stopped: {len(done)} of 300 inputs got a verdict\n"
        with target.open(newline="") as file:
            assert len(list(csv.DictReader(file))) == len(done) < 300
        end = time.monotonic() + 10
        while left := alive_in_group(process.pid):  # nobody stays behind
            assert time.monotonic() < end, left
            time.sleep(0.05)

    def test_a_second_ctrl_c_loses_nothing(self, card, media, tmp_path):
        target = tmp_path / "verdicts.csv"
        ended, text, errors = self.interrupted_twice(card, media, tmp_path, "--csv", str(target))
        assert (ended, errors) == (130, "stopped: 2 of 2 inputs got a verdict\n")
        assert "a.mp4" in text and "film.mp4" in text
        with target.open(newline="") as file:
            clip, film = csv.DictReader(file)
        assert clip["outcome"] != "unreadable" and "were looked at: stopped" in film["reason"]
        assert film["sha256"] == hashlib.sha256((tmp_path / "film.mp4").read_bytes()).hexdigest()

    def test_a_second_ctrl_c_leaves_out_the_report(self, card, media, tmp_path):
        ended, text, errors = self.interrupted_twice(card, media, tmp_path, "--report", str(tmp_path / "r"))
        assert (ended, errors) == (130, "stopped: 2 of 2 inputs got a verdict\n")
        assert "a.mp4" in text and not list((tmp_path / "r").glob("*.html"))

    def interrupted_twice(self, card, media, folder, *options):
        """Exit code and outputs of a scan that is stopped in a film, and again while the film is judged."""
        write_clip(folder / "film.mp4", moving_views(40) * 75)  # 300 seconds
        slow = """
            import os, signal, sys
            from pathlib import Path
            import unmask.batch as batch
            from unmask.__main__ import main

            def stop():
                os.kill(os.getpid(), signal.SIGINT)

            judge, scan_each = batch.judge_seen, batch.scan_each

            def judge_seen(*arguments):
                stop()
                return judge(*arguments)

            def scanned(*arguments, on_look, **options):
                def note(place, look):
                    on_look(place, look)
                    stop()
                return scan_each(*arguments, on_look=note, **options)

            if __name__ == "__main__":
                batch.judge_seen, batch.scan_each = judge_seen, scanned
                main()
        """
        script = folder / "twice.py"
        script.write_text(textwrap.dedent(slow))
        paths = [str(media / "a.mp4"), str(folder / "film.mp4")]
        command = [sys.executable, script, "scan", "--model", card, "--jobs", "1", *options, *paths]
        found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        return found.returncode, found.stdout, found.stderr

    @pytest.mark.parametrize("module", ["typer", "numpy"])
    @pytest.mark.parametrize("how", ["module", "script"])
    def test_ctrl_c_while_the_program_loads_is_a_word(self, card, media, tmp_path, module, how):
        (tmp_path / f"{module}.py").write_text(SLOW)
        entry = tomllib.loads(PYPROJECT.read_text())["project"]["scripts"]["unmask"].split(":")
        script = f"import sys\nfrom {entry[0]} import {entry[1]}\nsys.exit({entry[1]}())"
        start = UNMASK if how == "module" else [sys.executable, "-c", script]
        path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
        with subprocess.Popen(
            [*start, "scan", "--model", card, str(media / "a.mp4")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
        ) as process:
            assert process.stdout.readline() == "loading\n"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        assert process.returncode == 130
        assert errors == ("stopped\n" if module == "typer" else "stopped: 0 of 1 inputs got a verdict\n")


class TestInputs:
    def test_folders_are_searched_in_order_without_hidden_files(self, media):
        assert [Path(i.path).name for i in expand([str(media)])] == ["a.mp4", "b.png"]

    def test_patterns_are_expanded_here_too(self, media):
        found = expand([str(media / "*.mp4"), str(media / "**" / "*.png")])
        assert [Path(i.path).name for i in found] == ["a.mp4", "b.png"]

    def test_a_name_that_looks_like_a_pattern_but_exists_is_a_name(self, tmp_path):
        (tmp_path / "clip[1].mp4").touch()
        (tmp_path / "clip1.mp4").touch()
        assert [i.path for i in expand([str(tmp_path / "clip[1].mp4")])] == [str(tmp_path / "clip[1].mp4")]

    def test_a_pattern_without_files_says_so(self, tmp_path):
        (found,) = expand([str(tmp_path / "*.mp4")])
        assert found.problem == because("no_match")

    def test_a_folder_without_media_says_so(self, tmp_path):
        (tmp_path / "notes.txt").touch()
        (found,) = expand([str(tmp_path)])
        assert found.problem == because("empty_folder")

    def test_links_to_folders_are_not_followed(self, tmp_path):
        (tmp_path / "a.mp4").touch()
        (tmp_path / "loop").symlink_to(tmp_path)
        assert len(expand([str(tmp_path)])) == 1

    def test_a_folder_that_cannot_be_listed_says_so(self, tmp_path, monkeypatch):
        def refuse(path):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(os, "scandir", refuse)
        (found,) = expand([str(tmp_path)])
        assert found.problem == because("closed_folder", error="Permission denied")


def test_printable_leaves_letters_of_any_script():
    assert printable("naïve 影片 🎬.mp4") == "naïve 影片 🎬.mp4"


def alive_in_group(group):
    """Command lines of a group's processes, by Linux's /proc; not of those that only wait to be reaped."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = status.read_text().rpartition(")")[2].split()[:3]
            if int(pgrp) == group and state != "Z":
                found.append(status.with_name("cmdline").read_bytes())
        except OSError:  # it just ended
            continue
    return found


def on_terminal(*arguments, env=None):
    """Run on a pseudo-terminal; gives what it wrote, and the exit code."""
    ours, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    environment |= {"TERM": "xterm-256color"} | (env or {})
    with subprocess.Popen(
        [*UNMASK, *map(os.fspath, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        output = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            output += part
    os.close(ours)
    return output, process.returncode
