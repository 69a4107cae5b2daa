import json
import sys
from types import SimpleNamespace

import numpy as np
import onnxruntime as ort
import pytest

from command_line import run
from footage import moving_views, write_clip
from tiny_model import SIZE_PX, tiny_graph, write_tiny_model
from unmask.config import DEVICE_NAMES, ScoreSettings
from unmask.errors import ModelError, SettingsError
from unmask.judge import devices
from unmask.judge.devices import CPU, DEVICES, batch_crops, choose_device, providers
from unmask.judge.score import load_model, score_crops
from unmask.types import Crops

CROPS = np.random.default_rng(0).integers(0, 256, (7, 3, SIZE_PX, SIZE_PX), np.uint8)


def crops_of(images):
    count = len(images)
    times, *zeros = np.arange(count, dtype=float), *(np.zeros((count, *s)) for s in ((4,), (5, 2), ()))
    return Crops(0, np.arange(count), times, images, *zeros)


def test_all_names_have_a_device_and_the_processor_is_always_there():
    assert set(DEVICE_NAMES) == {"auto", *DEVICES}
    for name in DEVICES:
        assert providers(name, ScoreSettings())[-1] == CPU
    with pytest.raises(SettingsError, match="device must be one of auto, cpu, cuda"):
        ScoreSettings(device="tpu")


@pytest.mark.parametrize(("name", "device"), [(n, d) for n, d in DEVICES.items() if n != "cpu"])
def test_a_device_that_is_there_is_taken_and_otherwise_the_processor(name, device):
    assert choose_device(name, [device.provider, CPU]) == devices.Choice(name)
    assert choose_device("auto", [device.provider, CPU]).name == name
    fallen = choose_device(name, [CPU])
    assert fallen.name == "cpu"
    assert f"device {name} is not there" in fallen.note and device.install in fallen.note
    assert choose_device("auto", [CPU]) == devices.ON_CPU


def test_batches_are_sized_to_the_device_unless_set():
    assert batch_crops("cpu", ScoreSettings()) == 2
    assert batch_crops("cuda", ScoreSettings()) > 2
    assert batch_crops("cuda", ScoreSettings(batch_crops=3)) == 3


def test_a_device_that_fails_falls_back_with_a_sentence(tmp_path, monkeypatch):
    card = write_tiny_model(tmp_path)
    expected = load_model(card).logits(CROPS)
    opened = ort.InferenceSession

    def broken(data, options, providers):
        if providers != [CPU]:
            raise RuntimeError("no driver")
        return opened(data, options, providers=providers)

    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU])
    monkeypatch.setattr(ort, "InferenceSession", broken)
    model = load_model(card, ScoreSettings(device="cuda"))
    assert model.device.name == "cpu"
    assert "device cuda failed" in model.device.note and "no driver" in model.device.note
    np.testing.assert_array_equal(model.logits(CROPS), expected)


def test_a_provider_that_is_listed_and_left_out_is_told_of(tmp_path, monkeypatch):
    # This is how onnxruntime behaves where a driver is missing: no error, another provider.
    card = write_tiny_model(tmp_path)
    opened = ort.InferenceSession
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU])
    monkeypatch.setattr(
        ort, "InferenceSession", lambda data, options, providers: opened(data, options, providers=[CPU])
    )
    model = load_model(card, ScoreSettings(device="cuda"))
    assert model.device.note == "device cuda does not work on this machine; running on cpu"


@pytest.fixture
def plug(monkeypatch):
    """A package that plugs a provider in, as onnxruntime-ep-openvino does; gives what was registered."""
    if not hasattr(ort, "get_ep_devices"):
        pytest.skip("this onnxruntime takes no plug-ins")
    registered = []
    package = SimpleNamespace(get_library_path=lambda: "plug.so")
    monkeypatch.setitem(sys.modules, "onnxruntime_ep_openvino", package)
    monkeypatch.setattr(
        ort,
        "register_execution_provider_library",
        lambda name, path: registered.append((name, path)),
        raising=False,
    )
    return registered


def test_a_plug_in_is_registered_and_hardware_that_it_cannot_use_is_no_device(plug):
    fallen = choose_device("openvino")
    assert plug == [("OpenVINOExecutionProvider", "plug.so")]
    assert fallen.name == "cpu" and "a processor by Intel" in fallen.note


def test_a_network_runs_on_the_processor_of_a_plug_in(plug, tmp_path, monkeypatch):
    card = write_tiny_model(tmp_path)
    expected = load_model(card).logits(CROPS)
    (processor,) = ort.get_ep_devices()  # onnxruntime's own stands for the plug-in's
    given = []

    class Options(ort.SessionOptions):
        def add_provider_for_devices(self, found, options):
            given.append((found, options))
            super().add_provider_for_devices([processor], {})

    pretended = SimpleNamespace(ep_name="OpenVINOExecutionProvider", device=processor.device)
    monkeypatch.setattr(ort, "get_ep_devices", lambda: [processor, pretended])
    monkeypatch.setattr(ort, "SessionOptions", Options)
    assert choose_device("auto").name == "openvino"
    model = load_model(card, ScoreSettings(device="openvino", threads=3))
    ((found, options),) = given
    assert found == [pretended]
    assert json.loads(options["load_config"])["CPU"]["INFERENCE_NUM_THREADS"] == "3"
    np.testing.assert_array_equal(model.logits(CROPS), expected)
    # Here the session has onnxruntime's own provider only, and so it is said.
    assert model.device.note == "device openvino does not work on this machine; running on cpu"


def test_a_broken_model_is_no_fall_back(tmp_path):
    broken = tiny_graph()
    broken.graph.node[0].op_type = "NoSuchOperator"
    card = write_tiny_model(tmp_path, broken)
    with pytest.raises(ModelError, match="cannot be run"):
        load_model(card, ScoreSettings(device="cuda"))


def test_a_scan_says_once_that_a_device_is_not_there(tmp_path, capsys):
    if DEVICES["directml"].provider in ort.get_available_providers():
        pytest.skip("this machine has it")
    card = write_tiny_model(tmp_path)
    clip = write_clip(tmp_path / "a.mp4", moving_views(10))
    verdicts = []
    for device in ("cpu", "directml"):
        assert run("scan", "--json", "--device", device, "--model", card, "--frames", "6", clip) == 0
        captured = capsys.readouterr()
        assert captured.err.count("note: device directml is not there") == (device == "directml")
        verdicts.append(json.loads(captured.out))
    assert verdicts[0]["p_fake"] == verdicts[1]["p_fake"] is not None
    assert run("scan", "--device", "tpu", clip) == 2
    assert "device must be one of" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in DEVICES if name != "cpu"])
def test_an_accelerator_gives_the_probabilities_of_the_processor(name):
    if choose_device(name).name != name:
        pytest.skip(f"this machine has no {DEVICES[name].provider}")
    model = load_model(None, ScoreSettings(device=name))
    assert model.device.name == name, model.device.note
    side = model.card.size_px
    images = np.random.default_rng(1).integers(0, 256, (9, 3, side, side), np.uint8)
    images[4:] = np.linspace(0, 255, side).astype(np.uint8)  # noise and ramps
    found, expected = (
        score_crops(load_model(None, settings), crops_of(images), settings)
        for settings in (ScoreSettings(device=name), ScoreSettings(device="cpu"))
    )
    p_fake = [[model.card.calibration.probability(float(x)) for x in logits] for logits in (found, expected)]
    np.testing.assert_allclose(*p_fake, atol=1e-3)
