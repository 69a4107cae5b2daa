import pytest

pytest.importorskip("h5py")
pytest.importorskip("torch")

from keras_weights import random_network, write_keras
from unmask.config import ScoreSettings
from unmask.errors import SettingsError
from unmask.lab.evaluate.contenders import Contender, list_contenders, load_contender
from unmask.lab.evaluate.peers import PEERS


def test_peers_are_named_on_the_command_line(tmp_path):
    path = write_keras(tmp_path / "Meso4_DF.h5", random_network("meso4"))
    (one,) = list_contenders([], [f"meso4={path}"])
    assert one == Contender("meso4 Meso4_DF", str(path), "meso4")
    assert load_contender(one, ScoreSettings()).card.name == "meso4"
    assert [c.name for c in list_contenders([], [f"meso4={path}"] * 2)][1] == "meso4 Meso4_DF (2)"
    with pytest.raises(SettingsError, match="unknown peer 'xception'; choose from: meso4, mesoinception4"):
        list_contenders([], [f"xception={path}"])
    for wrong in ("meso4", f"meso4={tmp_path / 'absent.h5'}"):
        with pytest.raises(SettingsError, match="NAME=WEIGHTS"):
            list_contenders([], [wrong])


def test_nothing_asked_for_is_the_shipped_model():
    (one,) = list_contenders([], [])
    assert one.path is None and one.peer is None
    assert set(PEERS) == {"meso4", "mesoinception4"}
