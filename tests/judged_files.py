"""Small clips of a portrait that were judged by a model that only knows bright from dark, for reports."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import unmask
from portraits import moving_views, write_clip
from tiny_model import write_tiny_model
from unmask.config import ScanSettings
from unmask.report import ReportOptions
from unmask.report.looking import look_again
from unmask.report.page import report_page, tell_story
from unmask.report.sections import Story
from unmask.report.seen import Seen
from unmask.report.standing import Film
from unmask.report.words import Words

FALSE_ALARMS = {"false_alarms_on_reals": {"value": 0.05, "low": 0.02, "high": 0.12, "clips": 78}}


def judged_file(folder: Path, name="clip.mp4", *, brightness=60, frames=24, **changes):
    """Verdict, file and options of a clip; the brighter, the more fake."""
    card = write_tiny_model(folder / "model", **({"scores": FALSE_ALARMS} | changes))
    source = write_clip(folder / "clip.mp4", moving_views(frames, brightness=brightness))
    source = source.rename(folder / name)
    verdict = unmask.scan(source, model=card)
    return verdict, source, ReportOptions(settings=ScanSettings(model=str(card)))


def page_of(verdict, source, options, **changes):
    """The report's page, made in this process."""
    options = replace(options, **changes)
    story = tell_story(verdict, look_again(verdict, source, options), options)
    return report_page(story, source, folder=source.parent)


@contextmanager
def tried(trial):
    """Heat maps of every model did so well in their trial, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unmask.report.looking.trial_of", lambda sha256: trial)
        yield


def told_of(verdict, card, thresholds, *, seen=None, **options):
    """The story of a verdict on a file that nobody reads again, by a card that is at hand."""
    asked = ReportOptions(**options)
    words = Words(asked.language)
    film = Film(verdict, thresholds, card, words)
    return Story(verdict, seen or Seen(), asked, card, thresholds, words, film)


def load_death():
    """In place of `load_looking`: the child process is killed, as by a decoder that hostile bytes crashed."""
    return _die


def _die(job, tell):
    os.kill(os.getpid(), signal.SIGKILL)


def load_limit():
    """The same: tells the memory that the child process may hold, in MiB."""
    import resource

    return lambda job, tell: resource.getrlimit(resource.RLIMIT_DATA)[0] >> 20


def load_fault():
    """The same: a fault of our own."""
    return _fail


def _fail(job, tell):
    raise TypeError("an argument that is none")
