"""Runs as a whole: clips, labelled crops, early stop, Ctrl-C, and what is checked before the first step."""

import json
import os
import signal

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState

from tiny_recipe import CLIP, LABELLED, read_log, silent, write_recipe
from training_data import store_people, store_sets, stored_face
from unmask.config import ScoreSettings
from unmask.errors import DataError, ModelError, SettingsError
from unmask.judge.score import load_model, score_crops
from unmask.lab.crops.shards import INDEX_NAME
from unmask.lab.train.loop import Trainer
from unmask.lab.train.recipe import LoopSettings, read_recipe
from unmask.lab.train.run import run_recipe
from unmask.lab.train.schedule import Plan
from unmask.types import Crops


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return store_sets(tmp_path_factory.mktemp("data"))


def test_a_clip_run_leaves_a_model_that_a_scan_can_use(data, tmp_path):
    lines = []
    file = write_recipe(data, tmp_path, more=CLIP + LABELLED)
    assert run_recipe(file, tmp_path / "run", say=lines.append, int8=True)
    assert any("val: 1 people" in line and "none on both sides" in line for line in lines)
    assert any(line.startswith("labelled: ") for line in lines)
    log = read_log(tmp_path / "run")
    assert [line["step"] for line in log] == [1, 2, 3, 4]
    assert {"val_auc", "labelled_auc", "labelled_pairs"} <= log[1].keys()
    assert all(0 <= line["share_waiting"] <= 1 for line in log)
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    images = np.stack([stored_face(i)[40:72, 40:72] for i in range(5)]).transpose(0, 3, 1, 2).copy()
    times, boxes = np.arange(5.0), np.zeros((5, 4), np.float32)
    crops = Crops(
        0, np.arange(5), times, images, boxes, np.zeros((5, 5, 2), np.float32), np.full(5, 32, np.float32)
    )
    found = []
    for name in ("tiny.onnx", "tiny-int8.onnx"):
        model = load_model(tmp_path / "run" / name)
        assert model.card.kind == "clip" and model.card.limits[0].startswith("Neither calibrated")
        found.append(score_crops(model, crops, ScoreSettings(batch_crops=2)).logits)
    assert found[0].shape == (5,)
    np.testing.assert_allclose(found[0], found[1], atol=0.2)
    measured = json.loads((tmp_path / "run" / "export.json").read_text())
    assert measured["tiny.onnx"]["largest_difference"] < 1e-3
    assert measured["tiny-int8.onnx"]["largest_difference"] < 0.2


def test_a_clip_run_may_begin_with_a_frame_run(data, tmp_path):
    (tmp_path / "a").mkdir()
    assert run_recipe(write_recipe(data, tmp_path), tmp_path / "a", say=silent)
    start = ("[loop]", f'[loop]\nstart = "{tmp_path}/a"')
    recipe = read_recipe(write_recipe(data, tmp_path, more=CLIP, changes=[start]))
    frames = torch.load(tmp_path / "a" / "checkpoint.pt", weights_only=True)["average"]
    net = Trainer(recipe, tmp_path / "b", report=silent).net.frame_net.state_dict()
    assert all(torch.equal(net[name], value) for name, value in frames.items())
    again = read_recipe(write_recipe(data, tmp_path, changes=[("[loop]", f'[loop]\nstart = "{tmp_path}/c"')]))
    with pytest.raises(DataError, match="must hold a checkpoint to start from; train it first"):
        Trainer(again, tmp_path / "d", report=silent)


def test_bf16_learns_other_weights_and_keeps_them_in_32_bits(data, tmp_path):
    ends = {}
    for precision in ("no", "bf16"):
        AcceleratorState._reset_state(reset_partial_state=True)  # a process has one precision otherwise
        change = ("[loop]", f'[loop]\nmixed_precision = "{precision}"')
        recipe = read_recipe(write_recipe(data, tmp_path, changes=[change]))
        trainer = Trainer(recipe, tmp_path / precision, report=silent)
        trainer.run()
        ends[precision] = trainer.average.state_dict()
    AcceleratorState._reset_state(reset_partial_state=True)
    assert all(torch.isfinite(value).all() for value in ends["bf16"].values())
    assert {value.dtype for name, value in ends["bf16"].items() if name.endswith("weight")} == {torch.float32}
    assert not torch.equal(ends["no"]["judge.weight"], ends["bf16"]["judge.weight"])
    torch.testing.assert_close(ends["no"]["judge.weight"], ends["bf16"]["judge.weight"], atol=0.01, rtol=0.1)


def test_a_metric_that_no_longer_rises_begins_the_cool_down(data, tmp_path, monkeypatch):
    found = iter([0.5, 0.6, 0.6, 0.55, 0.9])
    monkeypatch.setattr(Trainer, "validate", lambda self: {"val_auc": next(found)})
    steps = [("steps = 4", "steps = 100"), ("validate_every = 2", "validate_every = 2\npatience = 2")]
    trainer = Trainer(
        read_recipe(write_recipe(data, tmp_path, changes=steps)), tmp_path / "run", report=silent
    )
    trainer.run()
    assert trainer.step == 10  # of 100: no better at steps 6 and 8, then 2 steps of cool-down
    again = Trainer(read_recipe(write_recipe(data, tmp_path, changes=steps)), tmp_path / "run", report=silent)
    assert again.step == again.plan.end == 10 and again.done


def test_patience_waits_for_a_better_value_and_sleeps_in_the_cool_down():
    settings = LoopSettings(steps=100, cooldown_steps=10, patience=2)
    plan = Plan(100)
    assert [plan.see(v, step=i, settings=settings) for i, v in enumerate([0.5, 0.4, 0.6, 0.6])] == [False] * 4
    assert plan.see(0.6, step=50, settings=settings) and plan.end == 60
    assert not plan.see(0.1, step=55, settings=settings) and plan.end == 60
    never = Plan(100)
    impatient = LoopSettings(steps=100, cooldown_steps=10)
    assert not any(never.see(0.0, step=i, settings=impatient) for i in range(20))


def test_ctrl_c_saves_after_the_step_and_the_same_call_goes_on(data, tmp_path):
    lines = []
    file = write_recipe(data, tmp_path, changes=[("checkpoint_every = 2", "checkpoint_every = 99")])
    before = signal.getsignal(signal.SIGINT)

    def interrupt(numbers):
        if numbers["step"] == 1:
            os.kill(os.getpid(), signal.SIGINT)

    # The signal comes while step 1 is reported, so step 2 is the one that is finished and saved.
    assert not run_recipe(file, tmp_path / "run", say=lines.append, show=interrupt)
    assert lines[-1] == "stopped and saved after step 2 of 4; the same command goes on"
    assert signal.getsignal(signal.SIGINT) is before
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 2
    assert run_recipe(file, tmp_path / "run", say=lines.append)
    assert "tiny: 2 of 4 steps are done" in lines
    assert [line["step"] for line in read_log(tmp_path / "run")] == [1, 2, 3, 4]


def copied(data, folder, name):
    """A recipe's data with one folder of its own, to break."""
    for part in ("train", "val", "labelled"):
        if part == name:
            (folder / part).mkdir(parents=True)
            for file in (data / part).iterdir():
                (folder / part / file.name).write_bytes(file.read_bytes())
        else:
            (folder / part).symlink_to(data / part)
    return folder


def refused(data, folder, words, *, more="", changes=()):
    recipe = read_recipe(write_recipe(data, folder, more=more, changes=changes))
    with pytest.raises((DataError, ModelError), match=words) as caught:
        Trainer(recipe, folder / "run", report=silent).run()
    assert "Traceback" not in str(caught.value)


def test_a_missing_data_folder_says_how_to_make_it(data, tmp_path):
    words = r"none must hold index.jsonl; make it with: unmask extract"
    for folder in ("train", "val"):
        refused(data, tmp_path, words, changes=[(f"{{folder}}/{folder}", "none")])
    refused(data, tmp_path, words, more=LABELLED.replace('labelled"]', 'none"]'))


def test_an_empty_index_is_refused(data, tmp_path):
    (copied(data, tmp_path, "train") / "train" / INDEX_NAME).write_text("")
    refused(tmp_path, tmp_path, "must hold packed faces, its index is empty")


def test_a_split_that_leaves_nobody_is_refused(data, tmp_path):
    held_out = ("[loop]", 'held_out = ["a", "b"]\n[loop]')
    refused(data, tmp_path, "must hold a real face to train on .*held_out", changes=[held_out])
    other = ("photos = 1.0", "films = 1.0")
    refused(data, tmp_path, "from films, got 2 samples from photos; see source_weights", changes=[other])


def test_one_class_only_is_refused_before_the_first_step(data, tmp_path):
    words = r"validation 'val' must hold both classes, got 0 fakes of 4"
    store_people(tmp_path / "reals", [(f"r{i}", "REAL") for i in range(4)])
    refused(data, tmp_path, words, changes=[("{folder}/val", f"{tmp_path}/reals")])
    refused(
        data,
        tmp_path,
        "labelled crops need both classes",
        more=LABELLED.replace("{folder}/labelled", f"{tmp_path}/reals"),
    )


def test_somebody_trained_on_is_refused_in_validation(data, tmp_path):
    store_people(tmp_path / "leak", [("ann", "REAL"), ("f-of-ann", "FAKE")])
    words = r"no identity may be both trained on and in validation 'val', got 1 of 1 \(ann\)"
    refused(data, tmp_path, words, changes=[("{folder}/val", f"{tmp_path}/leak")])


def test_who_is_in_the_labelled_validation_is_not_made_a_pseudo_fake_of(data, tmp_path):
    recipe = read_recipe(
        write_recipe(data, tmp_path, more=LABELLED, changes=[("{folder}/train", "{folder}/labelled")])
    )
    sources = Trainer(recipe, tmp_path / "run", report=silent).sources
    kept = {sample.identity for _, sample in sources.validation["labelled"]}
    assert len(kept) == 1 and kept <= set(sources.pairs.held_out)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_corrupt_crop_stops_with_its_name(data, tmp_path, workers):
    folder = copied(data, tmp_path, "train") / "train"
    shard = next(folder.glob("*.tar"))
    content = bytearray(shard.read_bytes())
    for line in (folder / INDEX_NAME).read_text().splitlines():
        for start, length in json.loads(line)["spans"]:
            content[start : start + length] = bytes(length)
    shard.write_bytes(content)
    words = r"crop \d of photos_\w+-p0 is cut short or damaged"
    refused(tmp_path, tmp_path, words, changes=[("workers = 0", f"workers = {workers}")])


def test_a_shard_that_is_cut_short_is_refused_before_the_first_step(data, tmp_path):
    shard = next((copied(data, tmp_path, "train") / "train").glob("*.tar"))
    with shard.open("r+b") as file:
        file.truncate(40_000)
    refused(tmp_path, tmp_path, "must hold 2 people, . are left in its 40000 bytes")


def test_shares_that_do_not_divide_are_refused(data, tmp_path):
    more = LABELLED.replace("crops_per_step = 2", "crops_per_step = 3")
    accumulate = ("[loop]", "[loop]\naccumulate = 2")
    refused(data, tmp_path, "crops_per_step must be divisible by", more=more, changes=[accumulate])


def test_folding_a_network_that_has_no_such_norms_is_refused(data, tmp_path):
    words = "fold_norms needs one of lite0, lite1, lite2, .*got 'tiny'"
    refused(data, tmp_path, words, changes=[("[loop]", "[loop]\nfold_norms = true")])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[loop]", "[loop]\npatience = -1"), "patience must be 0 or more"),
        (("[loop]", "[loop]\nhard_share = 0"), "hard_share must be above 0, at most 1, got 0"),
        (("[loop]", "[loop]\nsam_radius = -1"), "sam_radius must be 0 or more"),
        (
            ("[loop]", "[loop]\nstop_on = 'mini_auc'"),
            "unknown stop_on 'mini_auc'; choose from: val_auc",
        ),
        (('[validation]\nval = "{folder}/val"', ""), "patience needs something to validate on, got 3"),
        (("[loop]", "[clip]\nframes = 1\n[loop]"), "frames must be 2 to 64, got 1"),
        (("[loop]", "[clip]\ncolour = 1\n[loop]"), r"\[clip\] has an unknown key 'colour'"),
        (("[loop]", "[labelled]\n[loop]"), r"\[labelled\] must have a key 'folders'"),
    ],
)
def test_a_recipe_that_contradicts_itself_is_refused(data, tmp_path, change, words):
    changes = [change, ("steps = 4", "steps = 4\npatience = 3")] if "patience" not in change[1] else [change]
    with pytest.raises(SettingsError, match=words):
        read_recipe(write_recipe(data, tmp_path, changes=changes))


def test_what_validation_finds_belongs_to_a_run_only_where_it_decides(data, tmp_path):
    def digest(*changes):
        return read_recipe(write_recipe(data, tmp_path, changes=changes)).digest()

    often = ("validate_every = 2", "validate_every = 1")
    patient = ("[loop]", "[loop]\npatience = 2")
    assert digest() == digest(often)
    assert digest(patient) != digest(patient, often) != digest()
    assert digest() != read_recipe(write_recipe(data, tmp_path, more=CLIP)).digest()
