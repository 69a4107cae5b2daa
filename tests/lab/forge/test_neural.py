"""The autoencoder whose artefacts pseudo-fakes carry."""

import numpy as np
import pytest
import torch

from training_data import pack_portraits
from unmask.errors import DataError
from unmask.lab.crops.shards import CropReader, read_index
from unmask.lab.forge.neural import SIZE_PX, FaceAutoencoder, Regenerator, align_face
from unmask.lab.forge.pairs import PairBatches
from unmask.lab.forge.settings import PairSettings
from unmask.lab.train.autoencoder import train_autoencoder

SETTINGS = PairSettings(source_weights={"photos": 1.0}, size_px=96, last_size_px=96, pairs_per_step=2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("neural")
    pack_portraits(folder)
    lines = []
    train_autoencoder(
        folder / "crops", SETTINGS, folder / "autoencoder.pt", steps=100, seed=0, say=lines.append
    )
    return folder, lines


def test_it_learns_to_give_faces_back(trained):
    folder, lines = trained
    assert len(lines) == 1
    sample = read_index(folder / "crops")[0]
    image, points = CropReader(folder / "crops").read(sample, 0)
    face = align_face(image, points)
    given = align_face(Regenerator(folder / "autoencoder.pt")(image, points), points)
    assert face.shape == (SIZE_PX, SIZE_PX, 3)
    torch.save(FaceAutoencoder().state_dict(), folder / "untrained.pt")
    grey = align_face(Regenerator(folder / "untrained.pt")(image, points), points)
    assert 1 < np.abs(face.astype(int) - given).mean() < 0.7 * np.abs(face.astype(int) - grey).mean()


def test_surroundings_stay_and_the_face_changes(trained):
    folder, _ = trained
    sample = read_index(folder / "crops")[0]
    image, points = CropReader(folder / "crops").read(sample, 0)
    change = np.abs(Regenerator(folder / "autoencoder.pt")(image, points).astype(int) - image).sum(axis=2)
    assert change[:4].max() == 0 and change[-4:].max() == 0
    x, y = points.mean(axis=0).astype(int)
    assert change[y - 10 : y + 10, x - 10 : x + 10].mean() > 3


def test_training_is_a_function_of_its_seed_and_is_not_repeated(trained, tmp_path):
    folder, _ = trained
    files = [tmp_path / "one.pt", tmp_path / "two.pt"]
    for file in files:
        train_autoencoder(folder / "crops", SETTINGS, file, steps=2, seed=3, say=print)
    one, two = (torch.load(file, weights_only=True) for file in files)
    assert all(torch.equal(a, b) for a, b in zip(one.values(), two.values(), strict=True))
    before = files[0].stat().st_mtime_ns
    train_autoencoder(folder / "crops", SETTINGS, files[0], steps=2, seed=3, say=print)
    assert files[0].stat().st_mtime_ns == before


def test_pairs_with_it_differ_from_pairs_without(trained):
    folder, _ = trained
    settings = PairSettings(
        source_weights={"photos": 1.0}, size_px=96, last_size_px=96, pairs_per_step=2, neural_share=1.0
    )
    regenerate = Regenerator(folder / "autoencoder.pt")
    plain = PairBatches(folder / "crops", settings, seed=0, steps=1, regenerate=lambda image, points: image)
    neural = PairBatches(folder / "crops", settings, seed=0, steps=1, regenerate=regenerate)
    for seed in range(4):
        one = neural.draw_clean_pair(np.random.default_rng(seed), SETTINGS)
        other = neural.draw_clean_pair(np.random.default_rng(seed), SETTINGS)
        np.testing.assert_array_equal(one.fake, other.fake)
        outside = one.mask < 1e-3
        np.testing.assert_array_equal(one.real[outside], one.fake[outside])
        assert (one.fake != plain.draw_clean_pair(np.random.default_rng(seed), SETTINGS).fake).any()


def test_damaged_weights_say_the_way_out(tmp_path):
    file = tmp_path / "autoencoder.pt"
    torch.save(FaceAutoencoder().encode.state_dict(), file)
    with pytest.raises(DataError, match="remove it to train it anew"):
        Regenerator(file)(np.zeros((64, 64, 3), np.uint8), np.full((5, 2), 30, np.float32))
