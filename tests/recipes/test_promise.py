"""Bounds on false alarms hold in every state that a crop is judged in, and figures say of which they are."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")

from promise import MEAN_SOURCE, WORST_SOURCE, calibrate, choose_thresholds, measure, tabulate, uneven_groups

from unmask.lab.evaluate.calibrate import probabilities


def made_up(*, worn=0.0, seed=0):
    """Clips of eight sources in two states; whatever is worn lies higher."""
    rng = np.random.default_rng(seed)
    rows = []
    for state, shift in (("clean", 0.0), ("everyday", worn)):
        for still in (False, True):
            for source in range(8):
                for clip in range(20):
                    fake = clip % 2 == 1
                    made = "generated stills" if still else "other swaps"
                    rows.append(
                        {
                            "clip": f"{source}/{still}/{clip}", "label": "FAKE" if fake else "REAL",
                            "source": f"s{source}", "kind": made if fake else "real",
                            "still": still, "attributes": "sex=f" if source % 2 else "sex=m",
                            "logit": float(rng.normal(1.5 if fake else -1.5) + shift), "state": state,
                        }
                    )  # fmt: skip
    return pd.DataFrame(rows)


def test_the_bounds_hold_in_each_state():
    clips = made_up(worn=1.0)
    calibration, thresholds = calibrate(clips)
    reals = clips[(clips["label"] == "REAL") & ~clips["still"]]
    p_fake = probabilities(calibration, reals["logit"].to_numpy())
    alarms = pd.Series(p_fake >= thresholds[False].fake_at_least).groupby(
        [reals["state"].to_numpy(), reals["source"].to_numpy()]
    )
    assert alarms.mean().groupby(level=0).mean().max() <= MEAN_SOURCE
    assert alarms.mean().max() <= WORST_SOURCE
    alone, _ = choose(clips[clips["state"] == "clean"], calibration)
    assert alone < thresholds[False].fake_at_least


def choose(clips, calibration):
    """The threshold of videos in some states alone."""
    reals = clips[(clips["label"] == "REAL") & ~clips["still"]]
    found = choose_thresholds(reals.assign(p_fake=probabilities(calibration, reals["logit"].to_numpy())))
    return found.fake_at_least, found.real_at_most


def test_no_threshold_is_a_sentence():
    clips = made_up()
    reals = clips[clips["label"] == "REAL"].assign(p_fake=1.0)
    with pytest.raises(SystemExit, match="no threshold below 1"):
        choose_thresholds(reals)


def test_a_group_that_is_called_fake_too_often_raises_the_threshold_of_pictures():
    rng = np.random.default_rng(0)
    race = np.repeat(["a", "b", "few"], [400, 100, 20])
    p_fake = np.r_[rng.uniform(0, 0.5, 400), rng.uniform(0, 0.62, 100), np.full(20, 0.5)]
    people = pd.DataFrame({"p_fake": p_fake, "race": race})
    assert uneven_groups(people, 0.5) == ["b"], "a group of twenty is too small to tell"
    reals = people.assign(source=[str(n % 50) for n in range(len(people))], state="clean")
    free, fair = choose_thresholds(reals), choose_thresholds(reals, people)
    assert free.fake_at_least < fair.fake_at_least <= 0.63
    assert not uneven_groups(people, fair.fake_at_least)


def test_figures_name_their_state():
    clips = made_up(worn=1.0)
    calibration, thresholds = calibrate(clips)
    scores = measure(clips, calibration, thresholds)
    reals = 8 * 10
    for name in ("video", "video_everyday", "stills", "stills_everyday"):
        assert scores[f"false_alarms_on_strangers_{name}"].clips == reals
    clean, worn = (scores[f"false_alarms_on_strangers_video{end}"].value for end in ("", "_everyday"))
    assert clean <= worn <= MEAN_SOURCE
    assert scores["strangers_other_swaps_auc"].clips == 2 * reals  # in the first state alone
    table = tabulate({False: clips, True: clips}, calibration, thresholds)
    assert set(table["states"]) == {"everyday"}
    assert sum(one["files"] for one in table["reals"]["video"].values()) == reals
    assert table["states"]["everyday"]["video"]["files"] == reals
    assert table["people"]["sex"]["f"]["files"] == reals / 2
    assert table["fakes"]["other swaps"]["source_unseen"]["auc"] > 0.9
