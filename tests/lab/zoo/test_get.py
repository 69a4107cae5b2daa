import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from command_line import run
from footage import moving_views, write_clip
from hub_server import COMMIT, LATER, serve
from published import gend_files
from unmask.judge.cache import cached_card
from unmask.judge.card import read_card
from unmask.lab.zoo import remote

REPOSITORY = "yermandy/GenD_CLIP_L_14"
NAME = "gend-clip-l14"


@pytest.fixture(scope="module")
def published():
    return gend_files("clip")


@pytest.fixture
def hub(published, tmp_path, monkeypatch):
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "no token"))
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))
    with serve({REPOSITORY: dict(published)}) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served


def in_cache(tmp_path):
    """Everything in the cache that a scan could take for a model."""
    folder = tmp_path / "cache" / "models"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []


def refused(capsys, *arguments, tmp_path):
    """The sentence of a command that must fail and leave no model."""
    assert run("model", "get", *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "Traceback" not in error
    assert in_cache(tmp_path) == []
    return error


def test_from_the_hub_to_a_scan_without_network(hub, tmp_path, capsys):
    assert run("model", "card", NAME) == 0
    assert "not here yet" in capsys.readouterr().out
    assert run("model", "get", NAME) == 0
    said = capsys.readouterr().out
    assert f"version {COMMIT}" in said and "layout verified, scores not" in said
    assert "cite: A. Yermakov" in said
    assert in_cache(tmp_path) == [
        NAME,
        *(f"{NAME}/{end}" for end in ("check.json", f"{NAME}.json", f"{NAME}.onnx")),
    ]
    assert not list((tmp_path / "cache" / "downloads").iterdir())
    card = read_card(cached_card(NAME))
    assert (card.crop, card.version, card.size_px) == ("aligned", COMMIT, 224)
    assert any("Neither calibrated" in limit for limit in card.limits)
    asked = len(hub.asked)
    hub.gated = True  # from here on nothing may be asked
    assert run("model", "check", NAME) == 0
    assert run("model", "card", NAME) == 0
    assert run("model", "get", NAME) == 0
    assert "was here already" in capsys.readouterr().out
    clip = write_clip(tmp_path / "a.mp4", moving_views(12))
    assert run("scan", "--json", "--model", NAME, "--frames", "6", clip) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["model"]["name"] == NAME
    assert verdict["outcome"] in ("fake", "real", "unsure") and 0 <= verdict["p_fake"] <= 1
    assert len(hub.asked) == asked


def test_a_broken_transfer_goes_on_where_it_was_also_in_a_later_run(hub, published, tmp_path, capsys):
    total = len(published["model.safetensors"])
    config = len(published["config.json"])
    hub.break_after = [config, total // 2, 0, 0, 0]  # half comes, then nothing, three times
    error = refused(capsys, NAME, tmp_path=tmp_path)
    assert "broke off at" in error and "the same command goes on there" in error
    (part,) = (tmp_path / "cache" / "downloads" / NAME).glob("model.safetensors.*.part")
    assert part.stat().st_size == total // 2
    hub.asked.clear()
    hub.break_after = [total // 4]  # breaks once more, and goes on by itself
    assert run("model", "get", NAME) == 0
    spans = [span for path, span, _ in hub.gets() if "safetensors" in path]
    assert spans == [f"bytes={total // 2}-", f"bytes={total // 2 + total // 4}-"]
    assert run("model", "check", NAME) == 0


def test_bytes_of_another_hash_are_refused_and_forgotten(hub, published, tmp_path, capsys):
    good = published["model.safetensors"]
    wrong = {
        "config.json": published["config.json"].replace(b"LinearNorm", b"Linearnorm"),  # git's hash tells
        "model.safetensors": good[:-1] + bytes([good[-1] ^ 1]),  # SHA-256 tells
    }
    for name, data in wrong.items():
        hub.altered = {name: data}
        error = refused(capsys, NAME, tmp_path=tmp_path)
        assert name in error and "its hash must be" in error and "nothing was kept" in error
        assert not list((tmp_path / "cache" / "downloads").rglob("*.part"))
    hub.altered = {}
    assert run("model", "get", NAME) == 0


def test_a_server_that_sends_more_than_it_told_is_refused(hub, published, tmp_path, capsys):
    hub.altered["model.safetensors"] = published["model.safetensors"] + b"more"
    assert "sent more than the" in refused(capsys, NAME, tmp_path=tmp_path)


def test_a_revision_that_moved_is_taken_only_by_name(hub, tmp_path, capsys):
    assert run("model", "get", NAME) == 0
    before = cached_card(NAME).read_bytes()
    hub.commits |= {"main": LATER, LATER: LATER}
    assert run("model", "get", NAME, "--again") == 2
    assert f"has moved on from {COMMIT} to {LATER}" in capsys.readouterr().err
    assert cached_card(NAME).read_bytes() == before
    assert run("model", "get", NAME, "--again", "--revision", LATER) == 0
    assert read_card(cached_card(NAME)).version == LATER
    hub.commits[COMMIT] = LATER  # a commit that is answered with another one
    assert run("model", "get", NAME, "--again", "--revision", COMMIT) == 2
    assert f"asked for commit {COMMIT}" in capsys.readouterr().err
    assert read_card(cached_card(NAME)).version == LATER


def test_a_hub_that_asks_for_a_login(hub, tmp_path, capsys, monkeypatch):
    hub.needs_login = "secret"
    assert "HF_TOKEN" in refused(capsys, NAME, tmp_path=tmp_path)
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert run("model", "get", NAME) == 0
    logins = {path.startswith("/elsewhere/"): login for path, _, login in hub.gets()}
    assert logins == {False: "Bearer secret", True: ""}, "a login is for the hub alone"
    hub.gated = True
    assert run("model", "get", NAME, "--again") == 2
    assert "accept its terms" in capsys.readouterr().err


def test_what_the_hub_does_not_have(hub, tmp_path, capsys):
    assert "has no revision 'nowhere'" in refused(capsys, NAME, "--revision", "nowhere", tmp_path=tmp_path)
    del hub.files[REPOSITORY]["config.json"]
    assert "has no file 'config.json'" in refused(capsys, NAME, tmp_path=tmp_path)
    del hub.files[REPOSITORY]
    assert "is not there, or asks for a login" in refused(capsys, NAME, tmp_path=tmp_path)
    assert "unknown model 'gend'; did you mean gend-clip-l14 or" in refused(capsys, "gend", tmp_path=tmp_path)


def test_a_hub_that_cannot_be_reached(hub, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "the hub cannot be" in refused(capsys, NAME, tmp_path=tmp_path)


def test_a_full_disk(hub, tmp_path, capsys, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(remote.shutil, "disk_usage", lambda _: usage._replace(free=1000))
        assert "are free; UNMASK_CACHE names another" in refused(capsys, NAME, tmp_path=tmp_path)
    opened = Path.open

    def full(path, mode="r", *rest, **named):
        file = opened(path, mode, *rest, **named)
        if path.suffix == ".part" and path.name.startswith("model") and mode in ("ab", "wb"):

            def write(_):
                raise OSError(errno.ENOSPC, "No space left on device")

            file.close()
            file = open(path, mode, buffering=0)  # noqa: PTH123, SIM115
            return _Wrapped(file, write)
        return file

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        error = refused(capsys, NAME, tmp_path=tmp_path)
    assert "the disk is full; with more room the same command goes on" in error
    assert run("model", "get", NAME) == 0


class _Wrapped:
    def __init__(self, file, write):
        self._file, self.write = file, write

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()


def test_files_that_do_not_fit_leave_the_model_that_was_there(hub, tmp_path, capsys):
    assert run("model", "get", NAME) == 0
    before = {path: path.read_bytes() for path in cached_card(NAME).parent.iterdir()}
    hub.files[REPOSITORY]["config.json"] = b'{"head": "linear", "backbone": "vit_pe_core"}'
    hub.commits |= {LATER: LATER}
    assert run("model", "get", NAME, "--again", "--revision", LATER) == 2
    assert "backbone must be a clip" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in cached_card(NAME).parent.iterdir()} == before
    assert in_cache(tmp_path)[0] == NAME and not [n for n in in_cache(tmp_path) if n.startswith(".")]


def test_a_file_that_is_far_too_long_is_not_even_begun(hub, tmp_path, capsys, monkeypatch):
    from unmask.lab.zoo.table import ZOO

    monkeypatch.setitem(ZOO, NAME, replace(ZOO[NAME], megabytes=0.01))
    assert "must be at most" in refused(capsys, NAME, tmp_path=tmp_path)
    assert not [path for path, _, _ in hub.gets() if "safetensors" in path]


def test_a_model_in_the_cache_that_was_altered_is_refused(hub, tmp_path, capsys):
    assert run("model", "get", NAME) == 0
    weights = cached_card(NAME).with_suffix(".onnx")
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert run("model", "check", NAME) == 2
    assert "SHA-256 must be" in capsys.readouterr().err
    assert run("model", "get", NAME, "--again") == 0
    (cached_card(NAME).parent / "check.json").write_text('{"logits": [1, 2, 3, 4]}')
    assert run("model", "check", NAME) == 2
    assert "probabilities must be within 0.001" in capsys.readouterr().err


def test_a_model_that_was_not_got_is_named_with_the_way_to_it(hub, tmp_path, capsys):
    assert run("scan", "--model", "meso4-df", "x.mp4") == 2
    assert "unmask model get meso4-df" in capsys.readouterr().err


def test_the_list_says_what_is_here(hub, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert run("model", "list") == 0
    (before,) = [line for line in capsys.readouterr().out.splitlines() if NAME in line]
    assert run("model", "get", NAME) == 0
    capsys.readouterr()
    assert run("model", "list") == 0
    (after,) = [line for line in capsys.readouterr().out.splitlines() if NAME in line]
    assert (before.split()[-1], after.split()[-1]) == ("no", "yes")
