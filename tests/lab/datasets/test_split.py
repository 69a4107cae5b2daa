"""Splits: disjoint, stable, stratified, and proven."""

import numpy as np
import pandas
import pytest

from index_frames import frame_of
from unmask.errors import DataError, SettingsError
from unmask.lab.datasets.groups import group_by_original, group_by_person
from unmask.lab.datasets.split import SplitSettings, parse_shares, prove_split, split_index


class TestByOriginal:
    def test_no_original_is_on_two_sides_and_shares_are_met(self):
        frame = split_index(frame_of(2000))
        proof = prove_split(frame)
        assert proof.crossing["original"] == (0, 2000) and proof.crossing["group"] == (0, 2000)
        shares = frame.split.value_counts(normalize=True)
        assert shares["train"] == pytest.approx(0.8, abs=0.03) and shares["val"] == pytest.approx(
            0.1, abs=0.02
        )

    def test_files_that_come_later_change_nothing(self):
        before, after = split_index(frame_of(300)), split_index(frame_of(400, first=0))
        assert after.split[before.index].equals(before.split)
        shuffled = split_index(frame_of(400).sample(frac=1, random_state=3))
        assert shuffled.split[after.index].equals(after.split)

    def test_a_seed_gives_another_split(self):
        frames = [split_index(frame_of(100), SplitSettings(seed=seed)).split for seed in (0, 0, 1)]
        assert frames[0].equals(frames[1]) and not frames[0].equals(frames[2])

    def test_fakes_without_their_original_stay_together(self):
        frame = split_index(frame_of(50).query("label == 'FAKE'"))
        assert prove_split(frame).crossing["original"] == (0, 50)

    def test_files_with_the_same_bytes_stay_together(self):
        frame = frame_of(200)
        frame.loc[["o3", "o77_f1", "o150"], "sha256"] = "same"
        assert len(set(split_index(frame).split[["o3", "o77", "o150"]])) == 1


class TestOtherGroups:
    def test_by_part(self):
        frame = split_index(frame_of(400, parts=40), SplitSettings(by="part"))
        assert frame.groupby("part").split.nunique().max() == 1
        assert len(set(frame.split)) == 3

    def test_by_person_joins_donors_persons_and_links(self):
        frame = frame_of(6)
        frame.loc["o0_f0", "donor"] = "o1"
        frame.loc[["o1", "o2"], "person"] = "anna"
        groups = dict(
            zip(frame.index, group_by_person(frame, [["o4", "o5"], ["o3", "not there"]]), strict=True)
        )
        assert groups["o0"] == groups["o1"] == groups["o2_f2"] != groups["o3"]
        assert groups["o4"] == groups["o5_f0"] != groups["o3"]
        assert len(set(group_by_original(frame))) == 6

    def test_an_unknown_grouping(self):
        with pytest.raises(
            SettingsError, match="unknown grouping 'persn'; choose from: original, person, part"
        ):
            SplitSettings(by="persn")


class TestStratified:
    def test_small_sets_get_their_shares_in_each_kind(self):
        both, alone = frame_of(20, fakes=1), frame_of(10, fakes=0, first=100)
        settings = SplitSettings(shares={"train": 0.6, "val": 0.4}, stratify=True)
        frame = split_index(pandas.concat([both, alone]), settings)
        assert frame.split[both.index].value_counts().to_dict() == {"train": 24, "val": 16}
        assert frame.split[alone.index].value_counts().to_dict() == {"train": 6, "val": 4}

    def test_an_earlier_split_stays(self):
        settings = SplitSettings(shares={"train": 0.5, "val": 0.5}, stratify=True)
        before = split_index(frame_of(20), settings)
        after = split_index(frame_of(30), settings, earlier=before)
        assert after.split[before.index].equals(before.split)
        assert after.split.value_counts().to_dict() == {"train": 60, "val": 60}

    def test_an_earlier_split_that_cannot_stay(self):
        frame = frame_of(4)
        earlier = split_index(frame)
        earlier["split"] = np.where(earlier.index == "o2_f1", "val", "train")
        with pytest.raises(DataError, match="o2_f1 was in 'val' and shares a original"):
            split_index(frame, earlier=earlier)
        earlier["split"] = "dev"
        with pytest.raises(DataError, match="earlier split 'dev' of o0 must be one of train, val, test"):
            split_index(frame, earlier=earlier)


class TestProof:
    def test_sees_what_crosses(self):
        frame = split_index(frame_of(10))
        frame.loc["o1_f0", "split"] = "test" if frame.split["o1"] != "test" else "train"
        frame.loc[:, "person"] = "everybody"
        proof = prove_split(frame)
        assert proof.crossing["original"] == (1, 10) and proof.crossing["group"] == (1, 10)
        assert proof.crossing["person"] == (1, 1)

    def test_counts_only_what_is_usable(self):
        frame = split_index(frame_of(10), SplitSettings(shares={"train": 1.0}))
        frame.loc["o1_f0", "status"] = "missing"
        count = prove_split(frame).counts["train"]
        assert (count.groups, count.originals, count.videos, count.real, count.fake) == (10, 10, 39, 10, 29)


@pytest.mark.parametrize(
    "text", ["", "train", "train=x", "=1", "train=0.5", "train=1.5,val=-0.5", "train=nan"]
)
def test_shares_that_are_none(text):
    with pytest.raises(SettingsError, match="shares must"):
        SplitSettings(shares=parse_shares(text))
