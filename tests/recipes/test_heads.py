"""Heads on features that are made up, where it is known what carries over and what does not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")

import torch
from heads import (
    ENOUGH_PAIRS,
    Head,
    HeadSettings,
    assign_folds,
    find_axes,
    fit_head,
    gather_units,
    judge_left_out,
    lay_out,
    weigh_units,
)
from leave_out import summarise
from listed import Faces, check_sources
from other_pairs import measure_other_pairs

from unmask.errors import DataError

SETTINGS = HeadSettings(components=12, ridge=1e-3)


def made_up(*, seed=0, sources=8, clips=12, trace=2.0, scene=3.0):
    """Sources whose scene shifts all their features; fakes also differ by a trace in the first one."""
    rng = np.random.default_rng(seed)
    rows, features = [], []
    for source in range(sources):
        shift = rng.normal(size=12) * scene
        shift[0] = 0
        for clip in range(clips):
            fake = clip % 2 == 1
            if fake and source >= sources - 2:
                continue  # a source of reals alone
            own = shift + rng.normal(size=12) * 0.5
            own[0] += trace * fake
            for number in range(2):
                name, family = f"s{source}", ("swap_a", "lip_b")[source % 2]
                rows.append(
                    {
                        "key": f"{name}-{clip}", "number": str(number), "label": "FAKE" if fake else "REAL",
                        "source": name, "family": family if fake else name,
                        "clip": f"s{source}/{clip}", "pair": f"s{source}-{clip - 1}" if fake else "",
                        "still": False,
                    }
                )  # fmt: skip
                features.append(own + rng.normal(size=12) * 0.1)
    return Faces(pd.DataFrame(rows), {"clean": np.array(features, np.float32)})


def test_what_carries_over_is_found_and_a_source_is_judged_without_itself():
    faces = made_up()
    axes = find_axes(faces.features["clean"], components=12)
    judged = judge_left_out(lay_out(faces, axes, fit_states=["clean"]), SETTINGS, families=True)
    figures = summarise(judged, "clean")
    assert figures["AUC other swaps"] > 0.95 and figures["AUC lip-sync"] > 0.95
    other = replace(faces, features={"clean": faces.features["clean"].copy()})
    mine = (faces.table["source"] == "s0").to_numpy()
    other.table.loc[mine, "label"] = np.where(faces.table["label"][mine] == "FAKE", "REAL", "FAKE")
    again = judge_left_out(lay_out(other, axes, fit_states=["clean"]), SETTINGS, families=False)
    first = judge_left_out(lay_out(made_up(), axes, fit_states=["clean"]), SETTINGS, families=False)
    np.testing.assert_allclose(again["logit_clean"][mine], first["logit_clean"][mine], atol=1e-5)


def test_a_source_that_scores_higher_than_others_is_held_down():
    faces = made_up(trace=1.0, scene=6.0, clips=4)
    units = gather_units(faces.table, [faces.features["clean"]])
    reals = faces.table["label"] == "REAL"

    def differ(even):
        head = fit_head(units, replace(SETTINGS, even=even))
        logits = pd.Series(head(faces.features["clean"]))[reals.to_numpy()]
        return logits.groupby(faces.table["source"][reals].to_numpy()).mean().std()

    assert differ(10.0) < 0.5 * differ(0.0)


def test_a_head_is_the_same_on_the_features_and_on_their_axes():
    faces = made_up()
    axes = find_axes(faces.features["clean"], components=6)
    turned = axes.of(faces.features["clean"])
    head = fit_head(gather_units(faces.table, [turned]), SETTINGS)
    np.testing.assert_allclose(axes.undo(head)(faces.features["clean"]), head(turned), atol=1e-4)


def test_a_layer_that_a_head_fills_judges_as_the_head():
    features = made_up().features["clean"]
    head = Head(np.linspace(-1, 1, 12, dtype=np.float32), 0.25)
    layer = torch.nn.Linear(12, 1)
    head.fill(layer)
    with torch.inference_mode():
        found = layer(torch.from_numpy(features))[:, 0].numpy()
    np.testing.assert_allclose(found, head(features), atol=1e-4)


def test_each_class_has_half_the_weight_and_a_family_by_the_power_of_its_clips():
    faces = made_up()
    lips = (faces.table["family"] != "lip_b") | (faces.table["source"] == "s1")  # one source of three
    units = gather_units(faces.table[lips], [faces.features["clean"][lips]])
    for power, ratio in ((0.0, 1.0), (1.0, 3.0)):
        weights = weigh_units(units, power=power)
        assert weights[[unit.fake for unit in units]].sum() == pytest.approx(0.5)
        swaps, lips = (
            sum(w for w, u in zip(weights, units, strict=True) if u.family == f) for f in ("swap_a", "lip_b")
        )
        assert swaps / lips == pytest.approx(ratio)  # three sources of six clips each


def test_all_fakes_of_a_family_are_left_out_together():
    table = made_up(clips=30).table
    fold = assign_folds(table, families=True)
    assert set(fold[table["family"] == "swap_a"]) == {"family other swaps"}
    assert set(assign_folds(table, families=False)[table["source"] == "s0"]) == {"s0"}


def test_a_state_that_lifts_every_logit_is_held_down():
    faces = made_up(trace=1.0)
    clean = faces.features["clean"]
    worse = clean + np.eye(12, dtype=np.float32)[0] * 1.5  # what degrading does looks like the trace
    worse[:, 1] += 1.5
    units = gather_units(faces.table, [clean, worse])

    def lifted(**weights):
        head = fit_head(units, replace(SETTINGS, **weights))
        return float((head(worse) - head(clean)).mean())

    plain = lifted(even=0.0)
    assert plain > 0.1
    assert abs(lifted(even=30.0)) < 0.5 * plain


def test_what_a_fake_looks_like_is_learned_from_the_first_state():
    faces = made_up()
    clean = faces.features["clean"]
    fake = (faces.table["label"] == "FAKE").to_numpy()
    flawed = clean.copy()
    flawed[fake, 5] += 9.0  # only fakes show it, and only where they were degraded
    heads = [fit_head(gather_units(faces.table, [clean, worse]), SETTINGS) for worse in (clean, flawed)]
    np.testing.assert_allclose(heads[0].weights, heads[1].weights, atol=1e-5)


def test_pairs_teach_what_carries_over_and_too_few_of_them_are_passed_over():
    faces = made_up(trace=0.5, scene=3.0)
    units = gather_units(faces.table, [faces.features["clean"]])
    pairs = made_up(seed=1, sources=3, clips=240, trace=0.5)  # its last two sources are real alone
    beside = gather_units(pairs.table.assign(source="pairs"), [pairs.features["clean"]], beside=True)
    assert sum(unit.pairs for unit in beside) >= ENOUGH_PAIRS
    alone, both = fit_head(units, SETTINGS), fit_head([*units, *beside], SETTINGS)

    def share(head):
        return abs(head.weights[0]) / np.linalg.norm(head.weights)

    assert share(both) > share(alone)
    off = fit_head([*units, *beside], replace(SETTINGS, paired=0.0))
    np.testing.assert_allclose(off.weights, alone.weights)
    few = [replace(unit, pairs=min(unit.pairs, ENOUGH_PAIRS - 1)) for unit in beside]
    np.testing.assert_allclose(fit_head([*units, *few], SETTINGS).weights, alone.weights)


def test_half_of_the_originals_is_judged_by_the_other_half():
    faces = made_up(clips=60, trace=3.0, scene=0.1)
    table = faces.table.assign(
        source=np.where(faces.table["source"] == "s0", "dfdc_faces", faces.table["source"]),
        original=np.where(faces.table["pair"] == "", faces.table["key"], faces.table["pair"]),
    )
    axes = find_axes(faces.features["clean"], components=12)
    bench = lay_out(replace(faces, table=table), axes, fit_states=["clean"])
    found = measure_other_pairs(bench, None, axes, SETTINGS)
    assert found["other_DFDC_faces_auc"].value > 0.95 and found["other_DFDC_faces_pairs"].value > 0.95
    noise = np.random.default_rng(0).normal(size=faces.features["clean"].shape).astype(np.float32)
    blind = lay_out(replace(faces, table=table, features={"clean": noise}), axes, fit_states=["clean"])
    assert measure_other_pairs(blind, None, axes, SETTINGS)["other_DFDC_faces_auc"].value < 0.8


def test_one_class_alone_is_no_head():
    faces = made_up(sources=2)  # which are of reals alone
    axes = find_axes(faces.features["clean"], components=12)
    with pytest.raises(DataError, match=r"left to it are 2 sources of reals and 0 of fakes: list more"):
        fit_head(lay_out(faces, axes, fit_states=["clean"]).units, SETTINGS)


def test_somebody_in_two_sources_is_named():
    table = pd.DataFrame({"group": ["a/1", "a/1", "b/1"], "source": ["a", "b", "b"]})
    with pytest.raises(DataError, match=r"a/1 is in a and in b; list them under one source"):
        check_sources(table)
    check_sources(table[1:])
