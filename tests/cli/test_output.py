from dataclasses import replace

import pytest
from rich.console import Console

from films import film, interview, person
from tiny_model import write_tiny_model
from unmask.cli.output import LOOK, print_verdicts
from unmask.config import ScanSettings
from unmask.judge.card import read_card
from unmask.judge.reasons import why_so
from unmask.report.words import Words


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def printed(model, capsys):
    """What a scan prints of verdicts that the tiny model gave."""

    def show(*verdicts):
        own = [replace(one, model=read_card(model).model_name) for one in verdicts]
        print_verdicts(Console(), own, ScanSettings(model=str(model)))
        return capsys.readouterr().out

    return show


def just_below(limit):
    """A clip of one person whose probability would round to the threshold."""
    somebody = person(0, [(0, 0.0, 4.0, limit - 0.001)])
    one = film([somebody], shots=1, looks=1, p_fake=limit - 0.001)
    return replace(one, segments=(), reasons=(), reason="told otherwise")


def test_a_number_is_not_told_as_equal_to_a_limit_that_it_is_not_at(printed, model):
    limits = read_card(model).thresholds
    told = printed(just_below(limits.fake_at_least))
    assert told.count(f"{limits.fake_at_least - 0.001:.3f}") == 2  # of the file and of the person
    assert f"fake from {limits.fake_at_least:g} on, real up to {limits.real_at_most:g}" in told
    assert told.count(f"{limits.fake_at_least - 0.001:.3f} (limit {limits.fake_at_least:g})") == 2
    assert "(limit" not in printed(just_below(limits.fake_at_least - 0.099))
    assert f"{limits.fake_at_least - 0.1:.2f} " in printed(just_below(limits.fake_at_least - 0.099))
    reason = why_so(just_below(limits.fake_at_least).people[0], just_below(0.5).outcome, limits, people=1)
    assert f"p_fake {limits.fake_at_least - 0.001:.3f} lies between" in str(reason)


def test_a_look_is_explained_where_looks_are_counted_and_nowhere_else(printed):
    among = printed(interview())
    assert "among 58 looks at a face" in among and among.count(LOOK) == 1
    assert "among 58 looks one makes the file fake by itself from" in among
    assert LOOK not in printed(just_below(0.5)) and " look" not in printed(just_below(0.5))


@pytest.mark.parametrize("language", ["en", "de"])
def test_report_and_page_explain_it_in_the_same_words(language):
    import json
    from importlib.resources import files

    page = json.loads((files("unmask.web") / "static" / "messages.json").read_text(encoding="utf-8"))
    told = Words(language)("look")
    assert page["look"][language] == told and (told == LOOK or language == "de")
