import numpy as np
import pytest

h5py = pytest.importorskip("h5py")
torch = pytest.importorskip("torch")

from keras_weights import random_network, write_keras  # noqa: E402
from unmask.errors import ModelError  # noqa: E402
from unmask.lab.zoo.mesonet import load_meso  # noqa: E402


def same_padded(image, kernel, bias, dilation=1):
    """A convolution written out in numpy, as Keras has it: HWC image, HWIO kernel, padding ``same``, ReLU."""
    reach = kernel.shape[0] // 2 * dilation
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)))
    out = np.zeros((*image.shape[:2], kernel.shape[3]))
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            y, x = i * dilation, j * dilation
            out += padded[y : y + image.shape[0], x : x + image.shape[1]] @ kernel[i, j]
    return np.maximum(out + bias, 0)


def keras_forward(file, image, kind):
    """The network by the paper, in numpy, straight from the file."""

    def layer(kind, number):
        group = file[f"{kind}_{number}"]
        return [np.asarray(group[name], float) for name in group.attrs["weight_names"]]

    features, used = image / 255, 0
    for block, pool in enumerate((2, 2, 2, 4), start=1):
        if kind == "mesoinception4" and block <= 2:
            branches = [same_padded(features, *layer("conv2d", used + 1))]
            for branch in range(3):
                narrow = same_padded(features, *layer("conv2d", used + 2 + 2 * branch))
                branches.append(same_padded(narrow, *layer("conv2d", used + 3 + 2 * branch), branch + 1))
            features, used = np.concatenate(branches, axis=2), used + 7
        else:
            features, used = same_padded(features, *layer("conv2d", used + 1)), used + 1
        gamma, beta, mean, variance = layer("batch_normalization", block)
        features = (features - mean) / np.sqrt(variance + 1e-3) * gamma + beta
        height, width, channels = features.shape
        features = features.reshape(height // pool, pool, width // pool, pool, channels).max(axis=(1, 3))
    kernel, bias = layer("dense", 1)
    hidden = features.ravel() @ kernel + bias
    hidden = np.where(hidden > 0, hidden, 0.1 * hidden)
    kernel, bias = layer("dense", 2)
    return float((hidden @ kernel + bias)[0])


@pytest.mark.parametrize("kind", ["meso4", "mesoinception4"])
def test_a_meso_net_computes_what_the_paper_says_and_calls_fakes_high(tmp_path, kind):
    path = write_keras(tmp_path / "w.h5", random_network(kind))
    crops = np.random.default_rng(0).integers(0, 256, (2, 3, 256, 256), np.uint8)
    found = load_meso(path, kind).logits(crops)
    with h5py.File(path) as file:
        expected = [-keras_forward(file, crop.transpose(1, 2, 0), kind) for crop in crops]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_layers_are_taken_by_number_however_the_file_lists_or_nests_them(tmp_path):
    network = random_network("mesoinception4")
    crops = np.full((1, 3, 256, 256), 90, np.uint8)
    plain = load_meso(write_keras(tmp_path / "a.h5", network, shuffled=False), "mesoinception4")
    other = load_meso(write_keras(tmp_path / "b.h5", network, nested=True, first=8), "mesoinception4")
    np.testing.assert_array_equal(plain.logits(crops), other.logits(crops))
    assert plain.card.sha256 != other.card.sha256
    assert (plain.card.size_px, plain.card.name, plain.card.version) == (256, "mesoinception4", "a")


def test_other_files_are_refused_with_a_reason(tmp_path):
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(ModelError, match="no Keras file of weights"):
        load_meso(tmp_path / "text.h5", "meso4")
    short = write_keras(tmp_path / "short.h5", random_network("meso4"), drop=1)
    with pytest.raises(ModelError, match="has 2 layers dense, got 1"):
        load_meso(short, "meso4")
    with pytest.raises(ModelError, match="meso4 has 4 layers conv2d, got 16"):
        load_meso(write_keras(tmp_path / "i.h5", random_network("mesoinception4")), "meso4")
    broken = random_network("meso4")
    broken.dense[1].bias.data.fill_(float("nan"))
    with pytest.raises(ModelError, match="finite arrays"):
        load_meso(write_keras(tmp_path / "nan.h5", broken), "meso4")
