import hashlib
import json
from dataclasses import replace

import pytest

pytest.importorskip("h5py")
pytest.importorskip("torch")

from command_line import run
from footage import moving_views, write_clip
from hub_server import serve
from keras_weights import random_network, write_keras
from unmask.errors import ModelError
from unmask.judge.cache import cached_card
from unmask.judge.card import read_card
from unmask.judge.score import load_model
from unmask.lab.zoo.entry import Web
from unmask.lab.zoo.get import fixed_crops
from unmask.lab.zoo.mesonet import load_meso
from unmask.lab.zoo.remote import ask_web
from unmask.lab.zoo.table import ZOO

FILES = {"meso4-df": "meso4", "mesoinception4-df": "mesoinception4"}


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Each entry, at an address of this machine."""
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))
    data = {}
    for name, kind in FILES.items():
        data[f"{name}.h5"] = write_keras(tmp_path / f"{name}.h5", random_network(kind)).read_bytes()
    with serve({"a/b": data}) as hub:
        for name in FILES:
            digest = hashlib.sha256(data[f"{name}.h5"]).hexdigest()
            source = Web(f"{hub.url}/elsewhere/a/b/{name}.h5", digest)
            monkeypatch.setitem(ZOO, name, replace(ZOO[name], source=source))
        yield hub


@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_a_file_behind_an_address_becomes_a_model_that_scans(served, tmp_path, capsys, name, kind):
    assert run("model", "get", name) == 0
    assert "cite: D. Afchar" in capsys.readouterr().out
    assert read_card(cached_card(name)).version == ZOO[name].source.sha256
    crops = fixed_crops(256)
    peer = load_meso(tmp_path / f"{name}.h5", kind)
    assert load_model(name).logits(crops) == pytest.approx(peer.logits(crops), abs=1e-4)
    clip = write_clip(tmp_path / "a.mp4", moving_views(8))
    capsys.readouterr()
    assert run("scan", "--json", "--model", name, "--frames", "6", clip) == 0
    assert json.loads(capsys.readouterr().out)["model"]["name"] == name


def test_a_file_that_changed_at_its_address_is_refused(served, tmp_path, capsys):
    served.altered["meso4-df.h5"] = write_keras(
        tmp_path / "other.h5", random_network("meso4", 3)
    ).read_bytes()
    assert run("model", "get", "meso4-df") == 2
    assert "its hash must be" in capsys.readouterr().err
    assert not cached_card("meso4-df").exists()


def test_a_revision_of_an_address_is_refused(served, capsys):
    assert run("model", "get", "meso4-df", "--revision", "main") == 2
    assert "has no revisions" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["http://example.org/a.h5", "ftp://127.0.0.1/a.h5", "file:///etc/passwd"])
def test_only_https_is_asked(url):
    with pytest.raises(ModelError, match="must begin with https://"):
        ask_web(url)
