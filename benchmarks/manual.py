"""The manual page of `unmask`, made from what its commands say of themselves: `man unmask`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from unmask.cli import app
from unmask.version import __version__

MANUAL = Path("docs") / "unmask.1"
_CLOSING = """.SH EXIT STATUS
0 every file got a verdict, 1 at least one is unreadable or error, 2 wrong usage or it could not begin,
130 stopped by Ctrl-C.
.SH ENVIRONMENT
.TP
UNMASK_CACHE
Folder for what is downloaded, what a server took in and details of faults.
.TP
UNMASK_TOKEN
Token that clients of
.B unmask serve
must know.
"""


def page() -> str:
    """All of it, in the language of man(7)."""
    top = typer.main.get_command(app)
    context = top.make_context("unmask", [], resilient_parsing=True)
    told = [f'.TH UNMASK 1 "" "unmask {__version__}" "User Commands"', ".SH NAME"]
    told += [f"unmask \\- {_plain(top.help or '')}", ".SH SYNOPSIS", ".B unmask", "COMMAND [OPTIONS]"]
    told += [".SH OPTIONS", *_options(top, context), ".SH COMMANDS", *_commands(top, context, "unmask")]
    return "\n".join(told) + "\n" + _CLOSING


def _commands(group: Any, context: Any, before: str) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = type(context)(command, parent=context, info_name=name)
        yield f".SS {before} {name}"
        for part in (command.help or "").split("\n\n"):
            yield ".PP"
            yield _plain(part)
        yield from _options(command, inner)
        if hasattr(command, "list_commands"):
            yield from _commands(command, inner, f"{before} {name}")


def _options(command: Any, context: Any) -> Iterator[str]:
    for parameter in command.get_params(context):
        if getattr(parameter, "hidden", False):
            continue
        # Those for help come in no order.
        names = ", ".join(sorted((*parameter.opts, *parameter.secondary_opts), key=lambda n: (len(n), n)))
        is_option = parameter.param_type_name == "option"
        shown = " ".join([names, parameter.metavar or ""] if is_option else [parameter.metavar or names])
        yield ".TP"
        yield f".B {_escaped(shown.strip())}"
        yield _plain(getattr(parameter, "help", None) or "")


def _plain(text: str) -> str:
    """Text of a help without the marks of Rich."""
    return _escaped(" ".join(re.sub(r"\[/?(?:bold|italic|dim)\]", "", text).split()))


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
