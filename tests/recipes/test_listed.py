"""Caches of features are read only for the model that they were made for."""

import numpy as np
import pytest

pytest.importorskip("torch")

from features import COLUMNS, FIRST_BLOCK, LAST_BLOCK, SIZE_PX
from listed import read_faces

from unmask.errors import DataError

KINDS, WIDTH = 3, 4


def write_cache(folder, **more):
    """A list of two crops, and their features."""
    listing = folder / "faces.csv"
    rows = [[f"k{n}", "crops", "0", "REAL", "s", "s", f"s/{n}", f"k{n}", f"c{n}", "", ""] for n in (0, 1)]
    listing.write_text("\n".join(",".join(row) for row in [COLUMNS, *rows]) + "\n")
    cache = folder / "clip_b16"
    (cache / "clean").mkdir(parents=True)
    blocks = LAST_BLOCK["clip_b16"] - FIRST_BLOCK["clip_b16"] + 1
    features = np.arange(2 * blocks * KINDS * WIDTH, dtype=np.float16).reshape(2, blocks, KINDS, WIDTH)
    np.savez(cache / "clean" / "00000.npz", keys=["k0/0", "k1/0"], blocks=features, **more)
    return listing, cache


def read(place):
    return read_faces([place], states=["clean"], blocks=(7, 8), kinds=("class", "spread"))


def test_blocks_and_kinds_stand_side_by_side(tmp_path):
    faces = read(write_cache(tmp_path, size_px=SIZE_PX))
    assert faces.table["clip"].tolist() == ["c0", "c1"] and faces.table["still"].all()
    kept = np.arange(3 * KINDS * WIDTH).reshape(3, KINDS, WIDTH)[1:3, [0, 2]]
    np.testing.assert_array_equal(faces.features["clean"][0], kept.ravel())


@pytest.mark.parametrize(
    ("more", "told"), [({"size_px": SIZE_PX + 16}, f"{SIZE_PX + 16} px"), ({}, "an unknown size")]
)
def test_features_of_crops_of_another_size_are_refused(tmp_path, more, told):
    rule = f"of crops of {SIZE_PX} px, these are of {told}"
    with pytest.raises(DataError, match=rf"{rule}; .* encode the list"):
        read(write_cache(tmp_path, **more))
