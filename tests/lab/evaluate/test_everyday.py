"""What people do to clips every day: each change is a file that can be judged, and the counts are right."""

from judged_clips import judged, paired_rows
from labelled_clips import write_labelled
from tiny_model import write_tiny_model
from unmask.lab.evaluate.changes import CHANGES, UNTOUCHED
from unmask.lab.evaluate.clips import LabelledClip, read_clips
from unmask.lab.evaluate.contenders import Contender
from unmask.lab.evaluate.everyday import Said, summarise_everyday, try_changes
from unmask.lab.evaluate.summary import summarise
from unmask.lab.pages.evaluation import evaluation_page
from unmask.verdicts import Outcome

REAL, FAKE, UNSURE = Outcome.REAL, Outcome.FAKE, Outcome.UNSURE


def test_every_change_of_a_clip_is_judged_and_a_file_without_a_face_is_left_out(tmp_path):
    card = write_tiny_model(tmp_path)
    clips = read_clips([write_labelled(tmp_path / "clips", originals=1)])
    wanted = [clip for clip in clips if clip.name in ("real0.mp4", "empty.mp4")]
    found = dict(try_changes(wanted, [Contender("tiny", str(card))]))
    variants = {wanted[place].name: answer for place, answer in found.items()}
    assert variants.get("empty.mp4", {}) == {}
    said = variants["real0.mp4"]
    assert list(said) == list(CHANGES)
    judged = {name: models["tiny"] for name, models in said.items()}
    assert judged[UNTOUCHED].outcome in (REAL, FAKE, UNSURE)
    blind = {name for name, one in judged.items() if one.p_fake is None}
    assert blind <= {"upscaled", "rotated", "messenger"}  # a detector may lose the face there, never a file
    assert {one.outcome for one in judged.values()} <= {REAL, FAKE, UNSURE, Outcome.NO_FACE}


def test_verdicts_that_turn_are_counted_against_the_untouched_clip(tmp_path):
    card = judged(tmp_path, paired_rows(3)).card
    clips = [LabelledClip(f"{n}", "", n == 3, f"{n}") for n in range(4)]
    before = [Said(REAL, 0.1), Said(REAL, 0.2), Said(UNSURE, 0.5), Said(FAKE, 0.9)]
    after = [Said(FAKE, 0.9), Said(UNSURE, 0.5), Said(FAKE, 0.8), Said(Outcome.NO_FACE, None)]
    variants = [
        {name: {"m": one if name == UNTOUCHED else other} for name in CHANGES}
        for one, other in zip(before, after, strict=True)
    ]
    found = summarise_everyday(
        [*clips, LabelledClip("none", "", False, "none")], [*variants, {}], {"m": card}
    )
    assert found["clips"] == {"asked": 5, "tried": 4}
    whole = found["changes"][UNTOUCHED]["m"]
    assert (whole["reals"], whole["lost"], whole["real_to_fake"]) == ({"real": 2, "unsure": 1}, 0, 0)
    assert whole["auc"]["auc"] == 1
    turned = found["changes"]["mirrored"]["m"]
    assert turned["reals"] == {"fake": 2, "unsure": 1} and turned["fakes"] == {"no_face": 1}
    assert (turned["lost"], turned["real_to_fake"], turned["auc"]["auc"]) == (2, 1, None)


def test_the_page_shows_each_change(tmp_path):
    one = judged(tmp_path, paired_rows(3))
    said = [{name: {one.model: Said(REAL, 0.1)} for name in CHANGES} for _ in one.clips]
    summary = summarise([one], name="set", draws=20)
    summary["everyday"] = summarise_everyday(one.clips, said, {one.model: one.card})
    page = evaluation_page(summary, [one])
    assert "What people do to clips every day" in page
    assert all(change.about in page for change in CHANGES.values())
