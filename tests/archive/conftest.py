"""An archive that is scanned in many ways, and what an undisturbed scan of it leaves."""

from __future__ import annotations

import pytest

from archived import judge_for, remembered, scanned, settings_for, write_archive
from inline_crew import InlineCrew


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    return write_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="session")
def settings(archive):
    return settings_for(archive.parent)


@pytest.fixture(scope="session")
def judge(settings):
    return judge_for(settings)


@pytest.fixture(scope="session")
def answers(judge):
    return remembered(judge)


@pytest.fixture(scope="session")
def out(archive, settings, answers, tmp_path_factory):
    """What an undisturbed run leaves."""
    folder = tmp_path_factory.mktemp("out") / "out"
    assert scanned([archive], folder, settings, InlineCrew(answers)) == {}
    return folder
