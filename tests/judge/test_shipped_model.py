"""The weights in the package: there, whole, small, described, and alive."""

import numpy as np
import pytest

import unmask
from portraits import moving_views, write_clip
from unmask.judge.card import DEFAULT_MODEL, SHIPPED, WEIGHTS, card_path, read_card
from unmask.judge.score import load_model


@pytest.fixture(scope="module")
def model():
    return load_model()


def test_it_is_named_and_fits_the_package(model):
    assert model.card.name == DEFAULT_MODEL
    sizes = [(WEIGHTS / f"{name}.onnx").stat().st_size for name in set(SHIPPED.values())]
    assert sum(sizes) <= 86_000_000  # a wheel of less than 95 MB


def test_its_card_says_how_well_it_does_and_what_it_cannot():
    card = read_card(card_path())
    assert any(name.startswith("strangers_") and name.endswith("_auc") for name in card.scores)
    assert card.scores["false_alarms_on_strangers_video"].clips >= 100
    assert all(score.clips > 0 for score in card.scores.values())
    assert card.limits


def test_it_looks_at_the_pixels(model):
    side = model.card.size_px
    noise = np.random.default_rng(0).integers(0, 256, (4, 3, side, side), np.uint8)
    logits = model.logits(noise)
    assert np.ptp(logits) > 1e-3
    np.testing.assert_allclose(logits[:1], model.logits(noise[:1]), atol=1e-4)  # a crop is judged alone


def test_it_judges_a_clip(tmp_path):
    verdict = unmask.scan(write_clip(tmp_path / "face.mp4", moving_views(12)))
    assert verdict.model.name == DEFAULT_MODEL
    assert verdict.p_fake is not None


def test_what_cost_less_stays_to_be_had(tmp_path):
    file = write_clip(tmp_path / "face.mp4", moving_views(12))
    verdict = unmask.scan(file, model="fast")
    assert verdict.model.name == "quintet" == read_card(card_path("quintet")).name
    default = unmask.scan(file)
    scored = [sum(frame.p_fake is not None for frame in one.people[0].frames) for one in (default, verdict)]
    assert scored[0] <= read_card(card_path()).most_crops < scored[1] or scored[0] == scored[1]
