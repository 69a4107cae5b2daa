import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from torch.nn import functional as F  # noqa: E402

from published import ENCODERS, clip_encoder, gend_files, gend_tensors, randomise  # noqa: E402
from unmask.errors import ModelError  # noqa: E402
from unmask.lab.models.vit import VisionTransformer  # noqa: E402
from unmask.lab.zoo.gend_net import GenD, load_gend  # noqa: E402
from unmask.lab.zoo.table import ZOO  # noqa: E402


def written(folder, files):
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in files}


@pytest.mark.parametrize("head", ["LinearNorm", "linear"])
@pytest.mark.parametrize("kind", ["clip", "dinov3"])
def test_gend_gives_what_the_authors_code_gives_on_transformers_own_classes(tmp_path, kind, head):
    encoder = randomise(ENCODERS[kind]())
    tensors = gend_tensors(kind, encoder)
    net = load_gend(written(tmp_path, gend_files(kind, tensors, head=head)), encoder=kind, size_px=224)
    images = torch.randn((3, 3, 224, 224), generator=torch.Generator().manual_seed(5))
    with torch.inference_mode():
        output = encoder(images)
        features = output.pooler_output if kind == "clip" else output.last_hidden_state[:, 0]
        given = F.normalize(features, p=2, dim=1) if head == "LinearNorm" else features
        logits = given @ tensors["model.linear.weight"].T + tensors["model.linear.bias"]
        p_fake = logits.softmax(1)[:, 1]
        np.testing.assert_allclose(net.encoder(images), features, atol=1e-4)
        np.testing.assert_allclose(torch.sigmoid(net(images)), p_fake, atol=1e-4)
    assert features.std() > 0.1


def test_names_of_blocks_may_be_those_of_transformers_4_or_5(tmp_path):
    tensors = gend_tensors("dinov3", randomise(ENCODERS["dinov3"]()))
    newer = {name.replace("backbone.layer.", "backbone.model.layer."): t for name, t in tensors.items()}
    assert newer.keys() != tensors.keys()
    images = torch.ones(1, 3, 224, 224)
    first, second = (
        load_gend(written(tmp_path / name, gend_files("dinov3", t)), encoder="dinov3", size_px=224)
        for name, t in (("a", tensors), ("b", newer))
    )
    with torch.inference_mode():
        assert torch.equal(first(images), second(images))


def _full_layout(kind):
    """Names and shapes of the published size, as the libraries themselves lay them out, without memory."""
    sizes = {"width": 1024, "layers": 24, "hidden": 4096}
    with torch.device("meta"):
        return gend_tensors_of(kind, ENCODERS[kind](**sizes))


def gend_tensors_of(kind, encoder):
    from published import PREFIXES

    names = {}
    for name, value in encoder.state_dict().items():
        name = name.removeprefix("vision_model.").removeprefix("model.")
        names[PREFIXES[kind] + name] = value
    names["model.linear.weight"] = torch.empty(2, 1024, device="meta")
    names["model.linear.bias"] = torch.empty(2, device="meta")
    return names


@pytest.mark.parametrize(("kind", "millions"), [("clip", 303.2), ("dinov3", 303.1)])
def test_all_names_and_shapes_of_the_published_size_have_their_place(tmp_path, kind, millions):
    from unmask.lab.zoo.gend_net import LAYOUTS, _find_shape, _rename

    published = _full_layout(kind)
    found = _rename(published, LAYOUTS[kind], tmp_path)
    shape = _find_shape(found, LAYOUTS[kind], 224, tmp_path)
    assert (shape.width, shape.layers, shape.hidden) == (1024, 24, 4096)
    with torch.device("meta"):
        net = GenD(VisionTransformer(shape), unit=True)
    wanted = {name.removeprefix("encoder."): tuple(v.shape) for name, v in net.state_dict().items()}
    given = {name: tuple(v.shape) for name, v in found.items()}
    given |= {f"linear.{end}": tuple(published[f"model.linear.{end}"].shape) for end in ("weight", "bias")}
    assert given == wanted
    assert sum(v.numel() for v in net.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)


def _changed(tensors, **changes):
    return gend_files("clip", tensors | changes)


def test_files_of_another_layout_are_refused_with_a_sentence(tmp_path):
    tensors = gend_tensors("clip", randomise(clip_encoder()))
    prefix = "feature_extractor.vision_model."
    lacking = {name: t for name, t in tensors.items() if "layers.1.mlp.fc2" not in name}
    without_head = {name: t for name, t in tensors.items() if "linear.bias" not in name}
    nan = tensors | {prefix + "pre_layrnorm.bias": torch.full((128,), float("nan"))}
    ints = tensors | {prefix + "pre_layrnorm.bias": torch.zeros(128, dtype=torch.int64)}
    wide = tensors | {"model.linear.weight": torch.zeros(3, 128)}
    extra = tensors | {"surprise.weight": torch.zeros(1)}
    cases = {
        "lacks encoder.blocks.1.perceptron.down": gend_files("clip", lacking),
        "lacks model.linear.bias": gend_files("clip", without_head),
        "pre_layrnorm.bias must be finite": gend_files("clip", nan),
        "must be of floats": gend_files("clip", ints),
        r"other shapes: linear.weight \(3, 128\) for \(2, 128\)": gend_files("clip", wide),
        "'surprise.weight' is no part of the published layout": gend_files("clip", extra),
        "head must be one of linear, LinearNorm, got 'arc'": gend_files("clip", tensors, head="arc"),
        "backbone must be a clip, got 'dinov3'": gend_files("clip", tensors, backbone="dinov3"),
        "no readable safetensors": gend_files("clip", tensors)
        | {"model.safetensors": b"\x09" + b"\0" * 7 + b"{}"},
        "JSON object with head and backbone": gend_files("clip", tensors) | {"config.json": b"[]"},
        "width must be a multiple of 64": gend_files(
            "clip", tensors | {prefix + "embeddings.patch_embedding.weight": torch.zeros(96, 3, 14, 14)}
        ),
    }
    for number, (words, files) in enumerate(cases.items()):
        with pytest.raises(ModelError, match=words):
            load_gend(written(tmp_path / str(number), files), encoder="clip", size_px=224)


def test_a_tensor_that_comes_twice_is_refused(tmp_path):
    entry = '"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    header = f"{{{entry},{entry}}}".encode()
    files = gend_files("clip") | {"model.safetensors": len(header).to_bytes(8, "little") + header + b"\0" * 4}
    with pytest.raises(ModelError, match="a is given twice"):
        load_gend(written(tmp_path, files), encoder="clip", size_px=224)


def test_entries_say_what_the_authors_pipeline_does():
    entry = ZOO["gend-clip-l14"]
    assert (entry.crop, entry.margin_fraction, entry.size_px) == ("aligned", 0.3, 224)
    np.testing.assert_allclose(np.array(entry.mean) / 255, [0.48145466, 0.4578275, 0.40821073])
    np.testing.assert_allclose(np.array(entry.std) / 255, [0.26862954, 0.26130258, 0.27577711])
    assert json.dumps(entry.template) == json.dumps(ZOO["gend-pe-l"].template)
