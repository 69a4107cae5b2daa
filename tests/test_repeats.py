"""The same file gives the same verdict, seconds aside, damaged or not: again, with threads, in processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from media import bit_flipped
from tiny_model import write_tiny_model
from unmask.batch import scan_many
from unmask.config import BatchSettings, DecodeSettings, DetectSettings, ScanSettings, ScoreSettings

SWAPPED = Path(__file__).resolve().parents[1] / "examples" / "portrait_swapped.mp4"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A sound file, and two that are damaged: one within its pictures, one anywhere."""
    folder = tmp_path_factory.mktemp("files")
    late = bit_flipped(SWAPPED, folder / "late.mp4", flips=30, skip_bytes=4000)
    return [SWAPPED, late, bit_flipped(SWAPPED, folder / "any.mp4", flips=3, seed=5)]


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return str(write_tiny_model(tmp_path_factory.mktemp("model")))


def scanned(files, card, *, decoding=4, networks=1, jobs=1):
    settings = ScanSettings(
        model=card,
        decode=DecodeSettings(frames=6, threads=decoding),
        detect=DetectSettings(threads=networks),
        score=ScoreSettings(threads=networks),
    )
    plain = [v.to_dict() for v in scan_many(files, settings, BatchSettings(jobs=jobs))]
    return [json.dumps({key: value for key, value in one.items() if key != "seconds"}) for one in plain]


@pytest.fixture(scope="module")
def first(files, card):
    found = scanned(files, card)
    outcomes = [json.loads(one) for one in found]
    assert outcomes[0]["outcome"] in ("fake", "real", "unsure") and not outcomes[0]["damaged"]
    assert any(one["damaged"] or one["outcome"] == "unreadable" for one in outcomes[1:])
    return found


@pytest.mark.parametrize(
    "way",
    [{}, {"decoding": 1}, {"decoding": 2}, {"networks": 2}, {"networks": 4}, {"jobs": 2}, {"jobs": 4}],
    ids=str,
)
def test_the_same_file_gives_the_same_verdict(files, card, first, way):
    assert scanned(files, card, **way) == first
