"""``unmask extract`` as it is typed: what it prints, and what it refuses. The rest: tests/lab/extract."""

import json

import pytest
from typer.testing import CliRunner

from footage import write_footage
from inline_crew import InlineCrew
from training_data import write_portraits
from unmask.archive.engines import ENGINES
from unmask.cli import app
from unmask.lab.crops.shards import read_index
from unmask.lab.extract.manifest import read_manifest


@pytest.fixture(autouse=True)
def inline(monkeypatch):
    """Workers in this process, which are quicker to start."""
    monkeypatch.setitem(ENGINES, "local", lambda load, settings: InlineCrew(load()))


def extract(*arguments):
    return CliRunner().invoke(app, ["extract", *map(str, arguments)])


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    return write_footage(tmp_path_factory.mktemp("footage") / "part_0")


def test_the_plan_is_told_and_nothing_is_written(footage, tmp_path):
    told = extract(footage, "-o", tmp_path / "crops", "--frames", 4, "--plan")
    assert told.exit_code == 0, told.output
    first, cpu, disk, workers, source = told.stdout.splitlines()
    assert first == "videos       10, of which 4 may take another's boxes, 1 cannot be read"
    assert cpu.startswith("CPU hours") and disk.endswith((" kB", " MB")) and "128: " in workers
    assert source.startswith("from         8 videos that were done for this (")
    assert not (tmp_path / "crops").exists()
    as_json = json.loads(extract(footage, "-o", tmp_path / "c", "--frames", 4, "--plan", "--json").stdout)
    assert as_json["videos"] == 10 and set(as_json["hours_on_workers"]) == {"1", "2", "4", "16", "128"}


def test_collections_and_data_sets_go_together(footage, tmp_path):
    photos = write_portraits(tmp_path / "photos", labelled=True)
    told = extract(f"people={photos}", f"clips={footage}", "-o", tmp_path / "crops", "--frames", 4, "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["videos"] == 13  # as a collection it has no missing files
    samples = {sample.key: sample for sample in read_index(tmp_path / "crops")}
    fake = samples["people_hopper_fake-p0"]
    assert (fake.label, fake.source, fake.original) == ("FAKE", "people", "people_hopper-p0")
    assert len(fake) == 1 and read_manifest(tmp_path / "crops").loc["people/hopper.png", "status"] == "done"


def test_a_shard_that_was_cut_short_later_is_named(footage, tmp_path):
    assert extract(footage, "-o", tmp_path / "crops", "--frames", 4).exit_code == 0
    shard = tmp_path / "crops/crops-00000.tar"
    shard.write_bytes(shard.read_bytes()[:50_000])
    told = extract(footage, "-o", tmp_path / "crops", "--frames", 4)
    assert told.exit_code == 2
    assert "crops-00000.tar must hold 7 people" in told.stderr and "cut short" in told.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--frames", "0"], "frames must be 1 to 10000, got 0"),
        (["--quality", "101"], "quality must be 1 to 100, got 101"),
        (["--engine", "spark"], "engine must be one of local, ray, got 'spark'"),
        (["--address", "10.0.0.1:6379"], "address needs the engine ray"),
    ],
)
def test_impossible_settings_are_told_in_a_line(footage, tmp_path, options, words):
    told = extract(footage, "-o", tmp_path / "crops", *options)
    assert told.exit_code == 2
    assert words in told.stderr and "Traceback" not in told.output
