"""The training loop, run for real on tiny crops."""

import json

import numpy as np
import onnxruntime
import pytest
import torch

import tiny_recipe
from training_data import store_people
from unmask.errors import DataError
from unmask.lab.models.frame_net import FrameOutput
from unmask.lab.train.checkpoint import FILE_NAME
from unmask.lab.train.feed import StepBatch
from unmask.lab.train.loop import Trainer
from unmask.lab.train.losses import pair_loss
from unmask.lab.train.recipe import LoopSettings, read_recipe
from unmask.lab.train.run import run_recipe
from unmask.lab.train.schedule import learning_rate
from unmask.lab.train.sharpness import uphill

CHANGES = {
    "val = ": "portraits = ",
    "[view]\nsize_px = 32": "[view]\nsize_px = 64",
    "last_size_px = 32": "last_size_px = 64",
    "warmup_steps = 1": "warmup_steps = 2",
    "validate_every = 2": "validate_every = 4",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    store_people(folder / "train", [("ann", "REAL"), ("ben", "REAL"), ("zed-of-ann", "FAKE")])
    store_people(folder / "val", [("carl", "REAL"), ("zed-of-carl", "FAKE")])
    return folder


def write_recipe(data, folder, *, steps=6, every=3, change=("", "")):
    folder.mkdir(exist_ok=True)
    length = {"\nsteps = 4\n": f"\nsteps = {steps}\n", "checkpoint_every = 2": f"checkpoint_every = {every}"}
    return tiny_recipe.write_recipe(data, folder, changes=[*(CHANGES | length).items(), change])


def weights(folder):
    return torch.load(folder / FILE_NAME, weights_only=True)


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.values(), other.values(), strict=True))


class StopError(Exception):
    """A run that ends in the middle."""


def stop_at_five(numbers):
    if numbers["step"] == 5:
        raise StopError


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """An undisturbed run."""
    folder = tmp_path_factory.mktemp("whole")
    run_recipe(write_recipe(data, folder), folder, say=lambda line: None)
    return folder


def test_a_run_leaves_weights_log_and_onnx(whole):
    lines = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert "portraits_auc" in lines[3] and 0 <= lines[3]["portraits_pairs"] <= 1
    session = onnxruntime.InferenceSession(whole / "tiny.onnx")
    crops = np.random.default_rng(0).integers(0, 256, (5, 3, 64, 64), np.uint8)
    (logit,) = session.run(None, {"crops": crops})
    assert logit.shape == (5,) and np.isfinite(logit).all()


def test_training_changes_the_weights(whole, data, tmp_path):
    start = Trainer(read_recipe(write_recipe(data, tmp_path)), tmp_path, report=lambda numbers: None)
    assert not same(start.net.state_dict(), weights(whole)["net"])


def test_a_run_stopped_by_an_error_ends_with_the_same_weights(data, whole, tmp_path):
    recipe = read_recipe(write_recipe(data, tmp_path))
    with pytest.raises(StopError):
        Trainer(recipe, tmp_path, report=stop_at_five).run()
    assert weights(tmp_path)["step"] == 3
    Trainer(recipe, tmp_path, report=lambda numbers: None).run()
    for part in ("net", "average"):
        assert same(weights(tmp_path)[part], weights(whole)[part])


def test_a_run_may_be_lengthened_before_its_cool_down(data, tmp_path):
    Trainer(
        read_recipe(write_recipe(data, tmp_path, steps=3, every=1)), tmp_path, report=lambda n: None
    ).run()
    with pytest.raises(DataError, match="only before the cool-down"):
        Trainer(read_recipe(write_recipe(data, tmp_path, steps=9)), tmp_path, report=lambda n: None)


def test_a_checkpoint_of_another_recipe_is_refused(data, whole, tmp_path):
    (tmp_path / FILE_NAME).write_bytes((whole / FILE_NAME).read_bytes())
    file = write_recipe(data, tmp_path, change=("[loop]", "[loop]\nseed = 7"))
    with pytest.raises(DataError, match="made by another recipe"):
        Trainer(read_recipe(file), tmp_path, report=lambda n: None)


def test_a_damaged_checkpoint_is_named(data, tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"PK no checkpoint")
    with pytest.raises(DataError, match="is no checkpoint"):
        Trainer(read_recipe(write_recipe(data, tmp_path)), tmp_path, report=lambda n: None)


def test_an_infinite_loss_stops_and_keeps_the_last_checkpoint(data, tmp_path):
    change = ("[loop]", "[loop]\nlearning_rate = 1e30")
    file = write_recipe(data, tmp_path, every=1, change=change)
    with pytest.raises(DataError, match="loss and its gradient must be finite"):
        Trainer(read_recipe(file), tmp_path, report=lambda n: None).run()
    assert weights(tmp_path)["step"] >= 1


def test_a_network_that_says_the_same_of_every_face_stops(data, tmp_path):
    file = write_recipe(data, tmp_path, steps=100, every=1)
    trainer = Trainer(read_recipe(file), tmp_path, report=lambda n: None)
    trainer.net.judge.weight.requires_grad_(False).zero_()
    with pytest.raises(DataError, match="the same logit for every face in 50 steps up to 50; the check"):
        trainer.run()
    assert weights(tmp_path)["step"] == 49


def test_a_batch_that_cannot_be_shared_is_refused(data, tmp_path):
    file = write_recipe(data, tmp_path, change=("[loop]", "[loop]\naccumulate = 3"))
    with pytest.raises(DataError, match="divisible by processes x accumulate, got 2 for 1 x 3"):
        Trainer(read_recipe(file), tmp_path, report=lambda n: None)


def test_the_rate_rises_stays_and_falls():
    settings = LoopSettings(steps=100, warmup_steps=10, cooldown_steps=20, learning_rate=1.0)
    rates = [learning_rate(step, settings) for step in range(101)]
    assert rates[0] == 0.1 and rates[9] == rates[80] == 1.0
    assert rates[90] == pytest.approx(0.505) and rates[100] == pytest.approx(0.01)


def test_micro_batches_keep_pairs_together():
    batch = StepBatch(torch.arange(12), torch.arange(8), torch.arange(4), torch.arange(4))
    parts = [part.crops.tolist() for part in batch.split(2)]
    assert parts == [[0, 1, 4, 5, 8, 9], [2, 3, 6, 7, 10, 11]]
    assert [part.fake.tolist() for part in batch.split(2)] == [[0, 1], [2, 3]]


def test_the_loss_wants_each_fake_above_its_own_real():
    masks = torch.zeros(4, 2, 2)

    def loss(*logits, across=False):
        output = FrameOutput(torch.tensor(logits), masks)
        return float(pair_loss(output, masks, rank_weight=1.0, mask_weight=0.0, rank_across=across))

    good = (-1.0, 3.0, 1.0, 5.0)  # two scenes whose reals lie 4 apart
    swapped = (-1.0, 3.0, 5.0, 1.0)
    assert loss(*good) < loss(*swapped)
    assert loss(*good, across=True) > 1.2 * loss(*good)
    assert loss(*swapped, across=True) == pytest.approx(loss(*good, across=True))


def test_only_the_hardest_pairs_are_learned_from_where_a_share_is_set():
    masks = torch.zeros(8, 2, 2)
    logits = torch.tensor(
        [-4.0, 1.0, -4.0, -4.0, 4.0, -2.0, 4.0, 4.0], requires_grad=True
    )  # the second is wrong
    output = FrameOutput(logits, masks)
    for share, learned in [(0.25, [1, 5]), (0.01, [1, 5]), (1.0, list(range(8)))]:
        loss = pair_loss(output, masks, rank_weight=0.5, mask_weight=0.5, hard_share=share)
        (gradient,) = torch.autograd.grad(loss, logits)
        assert gradient.nonzero().flatten().tolist() == learned


def test_weights_go_uphill_by_the_radius_and_come_back_exactly():
    torch.manual_seed(0)
    net = torch.nn.Linear(6, 3)
    before = [p.detach().clone() for p in net.parameters()]

    def loss():
        return net(torch.arange(12.0).reshape(2, 6)).square().mean()

    low = loss()
    low.backward()
    with uphill(net.parameters(), radius=0.1):
        moved = [p.detach() - kept for p, kept in zip(net.parameters(), before, strict=True)]
        assert float(torch.cat([m.flatten() for m in moved]).norm()) == pytest.approx(0.1, rel=1e-3)
        assert all(p.grad is None for p in net.parameters())
        high = loss()
        high.backward()
    assert high > low
    assert all(
        torch.equal(p, kept) and p.grad is not None for p, kept in zip(net.parameters(), before, strict=True)
    )


@pytest.mark.parametrize("change", ["sam_radius = 0.05", "hard_share = 0.5"])
def test_each_way_to_learn_gives_other_weights_and_goes_on_exactly(data, whole, tmp_path, change):
    def train(folder, report=lambda numbers: None):
        file = write_recipe(data, folder, change=("[loop]", f"[loop]\n{change}"))
        Trainer(read_recipe(file), folder, report=report).run()

    train(tmp_path / "a")
    with pytest.raises(StopError):
        train(tmp_path / "b", stop_at_five)
    train(tmp_path / "b")
    assert same(weights(tmp_path / "a")["net"], weights(tmp_path / "b")["net"])
    assert not same(weights(tmp_path / "a")["net"], weights(whole)["net"])
