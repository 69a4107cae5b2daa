"""Where workers may live, and what is refused. Engines at work: tests/lab/extract/test_crews.py."""

import sys

import pytest

from unmask.archive.engines import CrewSettings, gather_crew
from unmask.errors import SettingsError


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"engine": "spark"}, "engine must be one of local, ray"),
        ({"workers": 0}, "workers must be 1 or more"),
        ({"address": "10.0.0.1:6379"}, "address needs the engine ray"),
    ],
)
def test_impossible_crews_are_refused(given, words):
    with pytest.raises(SettingsError, match=words):
        CrewSettings(**given)


def test_ray_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[ray\]'"):
        gather_crew(dict, CrewSettings(engine="ray"))
