"""How every command shows its help, and what it says to a word that is no command."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from unmask.cli.running import EXIT_INTERRUPTED
from unmask.suffixes import SUFFIXES


class Command(TyperCommand):
    """A command whose flags have no type in the help: a flag takes no value."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Options and arguments, also that for help."""
        return _without_flag_types(super().get_params(ctx))


class Group(TyperGroup):
    """A group of such commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Options, also that for help."""
        return _without_flag_types(super().get_params(ctx))


class Top(Group):
    """The program itself: a file in place of a command was meant to be scanned.

    Ctrl-C where a command has nothing to keep yet, as while it loads, ends it with a word.
    """

    def make_context(self, *given: Any, **options: Any) -> Any:
        """Read the arguments."""
        with _stopped_with_a_word():
            return super().make_context(*given, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with _stopped_with_a_word():
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command of this name; a usage error says what may have been meant."""
        word = args[0]
        if word not in self.commands and (word.lower().endswith(SUFFIXES) or os.path.lexists(word)):
            from unmask.cli.terminal import printable

            ctx.fail(printable(f"{word!r} is no command. Did you mean: unmask scan {shlex.quote(word)}"))
        return super().resolve_command(ctx, args)


@contextmanager
def _stopped_with_a_word() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _without_flag_types(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params
