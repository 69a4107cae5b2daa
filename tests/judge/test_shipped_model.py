"""The weights in the package: there, whole, small, described, and alive."""

import numpy as np
import pytest

import unmask
from portraits import moving_views, write_clip
from unmask.judge.card import DEFAULT_MODEL, card_path, read_card
from unmask.judge.score import load_model


@pytest.fixture(scope="module")
def model():
    return load_model()


def test_it_is_named_and_fits_the_package(model):
    assert model.card.name == DEFAULT_MODEL
    assert (card_path().parent / model.card.file).stat().st_size <= 20_000_000


def test_its_card_says_how_well_it_does_and_what_it_cannot():
    card = read_card(card_path())
    assert any("dfdc_mini" in name and "auc" in name.lower() for name in card.scores)
    assert any("log_loss" in name for name in card.scores)
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
