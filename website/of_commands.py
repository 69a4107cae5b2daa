"""The reference of the command line, from what ``--help`` is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from prose import cell, table
from unmask.cli import app

HEAD = """# Commands

Every command and option, as `--help` tells them. `-h` is short for `--help`. What the commands are for,
step by step: [I have ...](../have.md).
"""


def page() -> str:
    """The whole page."""
    top = typer.main.get_command(app)
    return "\n".join([HEAD, *_told(top, typer.Context(top, info_name="unmask"))])


def _told(command: Any, context: Any) -> Iterator[str]:
    for name in getattr(command, "commands", {}):
        inner = command.commands[name]
        if inner.hidden:
            continue
        below = typer.Context(inner, info_name=name, parent=context)
        yield f"## {below.command_path}\n"
        yield from _help(inner.help or "")
        params = [one for one in inner.get_params(below) if not getattr(one, "hidden", False)]
        yield f"    {usage(below.command_path, params, group=hasattr(inner, 'commands'))}\n"
        given = [one for one in params if one.param_type_name == "argument" and one.help]
        if given:
            yield table(["argument", "what it is"], [[f"`{shown(one)}`", _plain(one.help)] for one in given])
            yield ""
        options = [one for one in params if one.param_type_name == "option" and "--help" not in one.opts]
        if options:
            rows = [[_names(one, below), _default(one), _plain(one.help or "")] for one in options]
            yield table(["option", "default", "what it does"], rows)
            yield ""
        yield from _told(inner, below)


def usage(path: str, params: list[Any], *, group: bool) -> str:
    """How it is called, on one line."""
    given = [shown(one) for one in params if one.param_type_name == "argument"]
    needed = [
        f"{one.opts[0]} {one.metavar or one.name.upper()}"
        for one in params
        if one.param_type_name == "option" and one.required
    ]
    return " ".join([path, *(["COMMAND"] if group else []), *given, *needed, "[OPTIONS]"])


def shown(argument: Any) -> str:
    """An argument as it is written, with dots where there may be several."""
    name = (argument.metavar or argument.name.upper()).strip("[]{}.")
    dots = "..." if argument.nargs == -1 else ""
    return f"{name}{dots}" if argument.required else f"[{name}{dots}]"


def _help(text: str) -> Iterator[str]:
    """Prose of a help text; what stands below ``Examples`` becomes code."""
    told, _, examples = text.partition("[bold]Examples[/bold]")
    if not examples:
        told, _, examples = text.partition("[bold]Example[/bold]")
    told = re.sub(r"\[/?bold\]", "**", told)
    for block in told.replace("\b", "").strip().split("\n\n"):
        yield f"{_plain(block, bars=False)}\n"
    lines = [" ".join(one.split()) for one in examples.split("\n\n") if one.strip()]
    if lines:
        yield "\n".join(["```", *lines, "```", ""])


def _names(option: Any, context: Any) -> str:
    names, _ = option.get_help_record(context)
    return f"`{cell(names)}`"


def _default(option: Any) -> str:
    if isinstance(option.show_default, str):
        return cell(option.show_default)
    value = option.default
    if value is None or callable(value) or option.is_flag or value in ((), []) or not option.show_default:
        return ""
    return f"`{cell(getattr(value, 'value', value))}`"


def _plain(text: str, *, bars: bool = True) -> str:
    """Help as Markdown: rich's markup goes, and nothing in it is taken for markup."""
    bare = re.sub(r"\[/?(?:bold|dim|cyan|green|red|yellow|italic)\]", "", text).replace("\\[", "[")
    safe = re.sub(r"(?<!\*)([_<*])(?!\*)", r"\\\1", " ".join(bare.split()))
    return cell(safe) if bars else safe
