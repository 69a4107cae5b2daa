"""Collections: which files, and what labels them."""

import pytest

from training_data import write_portraits
from unmask.errors import DataError
from unmask.lab.datasets.collection import list_sources


def test_files_are_real_unless_a_table_says_otherwise(tmp_path):
    plain = list_sources(write_portraits(tmp_path / "plain"), collection="c")
    assert [(s.name, s.label, s.original) for s in plain] == [
        ("collins.png", "REAL", "collins.png"),
        ("hopper.png", "REAL", "hopper.png"),
    ]
    labelled = list_sources(
        write_portraits(tmp_path / "set" / "labelled", labelled=True).parent, collection="c"
    )
    (fake,) = (source for source in labelled if source.path.name == "hopper_fake.png")
    assert (fake.label, fake.name) == ("FAKE", "labelled/hopper_fake.png")
    assert fake.original == "labelled/hopper.png"


@pytest.mark.parametrize(
    ("metadata", "words"),
    [("{", "no JSON"), ("[]", "map file names"), ('{"collins.png": {"label": "MAYBE"}}', "REAL or FAKE")],
)
def test_broken_metadata_is_named(tmp_path, metadata, words):
    photos = write_portraits(tmp_path / "photos")
    (photos / "metadata.json").write_text(metadata)
    with pytest.raises(DataError, match=words):
        list_sources(photos, collection="c")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="found none"):
        list_sources(tmp_path, collection="c")
