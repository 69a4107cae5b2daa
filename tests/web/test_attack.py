"""Twenty clients at once, a third of whom mean harm, for some seconds: all that the page promises holds."""

import copy
from pathlib import Path

import pytest

from tiny_model import write_tiny_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def attack():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import attack

        yield attack


@pytest.fixture(scope="module")
def found(attack, tmp_path_factory):
    card = write_tiny_model(tmp_path_factory.mktemp("model"))
    return attack.attack(8.0, "--model", str(card), "--queue", "8", pause_seconds=0.05, whole=False)


def test_every_promise_holds(attack, found):
    assert attack.broken(found) == []


def test_everything_was_tried(attack, found):
    assert set(found["attacks"]) == set(attack.ATTACKS)
    assert found["friendly"]["200"] > 50 and found["finished_scans"] > 1


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("friendly", "500"), 1, "a friendly client got 500"),
        (("attacks", "hostile media", "500"), 2, "hostile media: 500, 2 times"),
        (("attacks", "another page in the browser (CSRF)", "201"), 1, "(CSRF): 201, 1 times"),
        (("attacks", "paths that climb", "0"), 1, "paths that climb: 0, 1 times"),
        (("memory_mb",), {"warm": 100.0, "end": 106.0}, "memory grew by 6.0%"),
        (("slow_seconds",), {"head": 60.0}, "a slow head was borne for 60.0 s"),
        (("slow_still_open",), 1, "slow still open: 1"),
        (("written_outside",), ["home/x"], "written outside: ['home/x']"),
        (("tracebacks",), 1, "tracebacks: 1"),
        (("lost_by_kill",), 1, "lost by kill: 1"),
        (("verdicts_that_differ",), 1, "verdicts that differ: 1"),
        (("verdict_is_the_same_afterwards",), False, "has another verdict than before"),
    ],
)
def test_a_promise_that_is_broken_is_said(attack, found, where, value, said):
    changed = copy.deepcopy(found)
    part = changed
    for name in where[:-1]:
        part = part[name]
    part[where[-1]] = value
    (sentence,) = attack.broken(changed)
    assert said in sentence


def test_the_table_has_a_row_an_attack(attack, found):
    told = attack.markdown({**found, "slow_seconds": {"head": 10.3}})
    assert all(f"\n| {name} | " in told for name in attack.ATTACKS)
    assert "None got an error of the server's own making" in " ".join(told.split())
