"""Every reason that a face can be left out for has words in every language."""

import ast
from pathlib import Path

import pytest

import unmask
from unmask.judge.calibration import Calibration
from unmask.judge.verdict import judge_person
from unmask.report.dropped import why_dropped
from unmask.report.words import Words
from unmask.types import Track

PACKAGE = Path(unmask.__file__).parent
# Where a reason is the fourth argument, after id, what was found, and whether it counts.
FOURTH = ("Person", "Track")


def all_reasons():
    """Each reason that the sources can give, its gaps filled with numbers, and where it stands."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for value in given_in(function):
                    where = f"{path.relative_to(PACKAGE)}:{value.lineno}"
                    yield from ((where, text) for text in told(value, function))


def given_in(function):
    """What a function gives as the reason of a track or a person."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            yield from (word.value for word in node.keywords if word.arg == "why_dropped")
            if isinstance(node.func, ast.Name) and node.func.id in FOURTH and len(node.args) > 3:
                yield node.args[3]
        elif isinstance(node, ast.Return) and function.name == "_why_dropped":
            yield node.value


def told(value, function):
    """The texts that an expression may be; nothing for what only hands a reason on."""
    match value:
        case ast.Constant(value=None) | ast.Attribute(attr="why_dropped"):
            return
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(filled(part, function) for part in parts)
        case ast.Name(id=name):
            for assigned in assigned_to(name, function):
                yield from told(assigned, function)
        case ast.Call(func=ast.Name(id="_why_dropped" | "_or_none" | "tuple")):
            return  # looked at by itself; read from a file; a list of those above
        case _:
            pytest.fail(f"whether this is a reason is not known: {ast.unparse(value)}")


def assigned_to(name, function):
    """What a name stands for in a function."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and any(getattr(to, "id", "") == name for to in node.targets):
            yield node.value


def filled(part, function):
    """A part of a text: its words, or in place of a gap the text or a number that may stand there."""
    if isinstance(part, ast.Constant):
        return part.value
    if isinstance(part.value, ast.Name):
        for assigned in assigned_to(part.value.id, function):
            if isinstance(assigned, ast.JoinedStr):
                return next(told(assigned, function))
    return format(7, part.format_spec.values[0].value if part.format_spec else "")


REASONS = sorted(set(all_reasons()))


def test_the_reasons_are_found():
    assert {where.partition(":")[0] for where, _ in REASONS} >= {
        "faces/track.py",
        "faces/people.py",
        "judge/verdict.py",
    }
    assert len(REASONS) >= 8


@pytest.mark.parametrize(("where", "reason"), REASONS)
def test_a_reason_has_words_in_german(where, reason):
    assert why_dropped(reason, Words("de")) != reason, f"{where}: {reason!r} has no pattern in dropped.py"


def test_a_face_that_was_not_scored_is_told_in_german():
    person = judge_person(Track(0, (), (), None), (), {}, Calibration(1.0, 0.0))
    assert why_dropped(person.why_dropped, Words("de")) == "keines seiner Bilder ließ sich bewerten"
