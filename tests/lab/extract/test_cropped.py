"""Faces that were cut out already."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from command_line import run
from portraits import write_image
from training_data import stored_face
from unmask.errors import DataError
from unmask.lab.crops.shards import CropReader, decode_crop, read_index
from unmask.lab.extract.cropped import find_kind, pack_faces
from unmask.lab.extract.face_table import list_faces
from unmask.lab.extract.manifest import read_manifest

HEADER = "name\tlabel\toriginal\twidth\tkind"


def write_faces(folder, rows, *, header=HEADER, pictures=True):
    """A table of ``rows`` and a picture for each; those called ``*_fake`` are manipulated."""
    for row in rows:
        name, label = row.split("\t")[:2]
        if pictures:
            (folder / label).mkdir(parents=True, exist_ok=True)
            write_image(folder / label / f"{name}.jpg", stored_face(0, fake=label == "fake"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faces.tsv").write_text("\n".join([header, *rows]) + "\n")
    return folder / "faces.tsv"


PAIR = ("ann\treal\tann\t180\treal", "ann_swap\tfake\tann\t180\taligned")


def test_faces_are_stored_as_they_are_with_what_is_known_of_them(tmp_path):
    table = write_faces(tmp_path / "faces", PAIR)
    counts = pack_faces(list_faces(table), tmp_path / "crops", source="dfdc_faces")
    assert counts == {"done": 2}
    real, fake = read_index(tmp_path / "crops")
    assert (real.label, real.identity, real.original, real.source) == ("REAL", "ann", "ann", "dfdc_faces")
    assert (fake.label, fake.original, fake.aligned, real.aligned) == ("FAKE", real.key, True, False)
    assert real.margin_fraction == 0 and not real.has_points and real.points.shape == (1, 5, 2)
    reader = CropReader(tmp_path / "crops")
    for sample, label in ((real, "real"), (fake, "fake")):
        picture = decode_crop((tmp_path / "faces" / label / f"{sample.key}.jpg").read_bytes())
        np.testing.assert_array_equal(reader.read(sample, 0)[0], picture)
    manifest = read_manifest(tmp_path / "crops")
    assert manifest.status.tolist() == ["done", "done"]


def test_faces_that_teach_nothing_are_left_out_with_the_reason(tmp_path):
    rows = [
        *PAIR,
        "ann_same\tfake\tann\t180\tunchanged",
        "ann_side\tfake\tann\t180\tunaligned",
        "ann_small\tfake\tann\t60\taligned",
        "gone\treal\tgone\t180\treal",
        "broken\treal\tbroken\t180\treal",
        "wide\treal\twide\t180\treal",
        "cut\treal\tcut\t180\treal",
        "huge\treal\thuge\t180\treal",
        "ann_size\tfake\tann\t180\taligned",
        "ann_copy\tfake\tann\t180\t",
    ]
    table = write_faces(tmp_path, rows)
    (tmp_path / "real" / "gone.jpg").unlink()
    (tmp_path / "real" / "broken.jpg").write_bytes(b"no picture")
    whole = (tmp_path / "real" / "cut.jpg").read_bytes()
    (tmp_path / "real" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    write_image(tmp_path / "real" / "huge.jpg", np.zeros((5000, 5000, 3), np.uint8))
    write_image(tmp_path / "real" / "wide.jpg", stored_face(0)[:100])
    write_image(tmp_path / "fake" / "ann_size.jpg", stored_face(0)[:100, :100])
    (tmp_path / "fake" / "ann_copy.jpg").write_bytes((tmp_path / "real" / "ann.jpg").read_bytes())
    counts = pack_faces(list_faces(table), tmp_path / "crops", source="s", min_width_px=100)
    assert counts == {"done": 2, "left_out": 10}
    reasons = read_manifest(tmp_path / "crops").reason
    for name, word in {
        "ann_same": "does not differ",
        "ann_side": "bystander",
        "ann_small": "at least 100 px wanted",
        "gone": "No such file",
        "broken": "must be a jpeg or png",
        "cut": "cannot be decoded",
        "huge": "pixels",
        "wide": "must be square, got 219x100",
        "ann_size": "must have the size of its original, 219x219, got 100x100",
        "ann_copy": "is the very picture ann, which is labelled real",
    }.items():
        assert word in reasons[name], name


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a\tmaybe\ta\t1\treal", "line 2: label must be real or fake, got 'maybe'"),
        ("a\treal\ta\t1\tprofile", "line 2: kind must be one of real, aligned, .*, got 'profile'"),
        ("a\treal\ta\t1\taligned", "line 2: kind and label must fit, got aligned for a real"),
        ("a\treal\ta\twide\treal", "line 2: width must be pixels, got 'wide'"),
        ("../a\treal\ta\t1\treal", "line 2: name must be up to 70 of the letters .*, got '../a'"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named(tmp_path, row, message):
    table = write_faces(tmp_path, [row], pictures=False)
    with pytest.raises(DataError, match=message):
        list_faces(table)


def test_a_table_must_make_sense_as_a_whole(tmp_path):
    with pytest.raises(DataError, match="the columns name and label, got no label"):
        list_faces(write_faces(tmp_path / "a", [], header="name\toriginal"))
    with pytest.raises(DataError, match="must hold faces"):
        list_faces(write_faces(tmp_path / "b", []))
    with pytest.raises(DataError, match=r"got 'ann' twice under two labels"):
        list_faces(write_faces(tmp_path / "c", ["ann\treal\tann\t1\t", "ann\tfake\tann\t1\t"]))
    with pytest.raises(DataError, match="no such file or folder"):
        list_faces(tmp_path / "nowhere.tsv")
    outside = write_faces(tmp_path / "d", ["a\treal\t../b.jpg"], header="name\tlabel\tfile", pictures=False)
    with pytest.raises(DataError, match="must lie below the table's folder"):
        list_faces(outside)


def test_packed_crops_are_not_written_over(tmp_path):
    faces = list_faces(write_faces(tmp_path, PAIR))
    pack_faces(faces, tmp_path / "crops", source="s")
    with pytest.raises(DataError, match="must not hold packed crops yet"):
        pack_faces(faces, tmp_path / "crops", source="s")


def test_the_kind_is_found_out_where_the_table_does_not_tell():
    real, fake = stored_face(0), stored_face(0, fake=True)
    assert find_kind(real, fake) == "aligned"
    assert find_kind(real, real) == "unchanged"
    assert find_kind(real, np.ascontiguousarray(fake[:, ::-1])) == "unaligned"
    assert find_kind(real, cv2.resize(fake, (100, 100))) == "unaligned"


def test_real_kinds_are_found_out_as_they_were_told(shared_data):
    faces = list_faces(shared_data / "forgeries" / "dfdc_faces")
    by_name = {face.name: face for face in faces}
    fakes = [face for face in faces if face.kind == "aligned"][::60]
    found = [
        find_kind(*(decode_crop(face.file.read_bytes()) for face in (by_name[fake.original], fake)))
        for fake in fakes
    ]
    assert len(found) > 50 and found.count("aligned") >= 0.95 * len(found)


def test_a_folder_without_a_table_will_do(tmp_path, capsys):
    table = write_faces(tmp_path / "faces", PAIR)
    table.unlink()
    assert run("extract", "--cropped", f"faces={tmp_path / 'faces'}", "-o", tmp_path / "crops") == 0
    assert "2 faces: 2 stored" in capsys.readouterr().out
    stored = read_index(tmp_path / "crops")
    assert [(s.key, s.label, s.source) for s in stored] == [
        ("real_ann", "REAL", "faces"),
        ("fake_ann_swap", "FAKE", "faces"),
    ]


def test_one_class_alone_is_told(tmp_path, capsys):
    table = write_faces(tmp_path / "faces", PAIR[:1])
    assert run("extract", "--cropped", table, "-o", tmp_path / "crops") == 0
    assert "all are labelled REAL" in capsys.readouterr().out
    assert run("extract", "--cropped", table, "-o", tmp_path / "more", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"faces": 1, "labels": ["REAL"], "status": {"done": 1}}


def test_wrong_usage_is_a_sentence(tmp_path, capsys):
    assert run("extract", "--cropped", "a", "b", "-o", tmp_path / "crops") == 2
    assert "--cropped takes one table or folder, got 2" in capsys.readouterr().err
    assert run("extract", "--cropped", "a", "--margin", "9", "-o", tmp_path / "crops") == 2
    assert "--margin must be -0.5 to 3, got 9.0" in capsys.readouterr().err
