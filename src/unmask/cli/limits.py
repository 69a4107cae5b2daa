"""``--memory-mb`` and ``--sandbox``: what a process that opens files may use, and whether it is closed in."""

from __future__ import annotations

from typing import Annotated

import typer

MemoryOption = Annotated[
    int | None,
    typer.Option(
        "--memory-mb",
        metavar="MB",
        help="Most memory of a worker; 0 sets no limit (default: 4096 and what the model needs).",
    ),
]
"""What commands take that open strangers' files."""

SandboxOption = Annotated[
    str,
    typer.Option(
        "--sandbox",
        metavar="MODE",
        help="Close workers in, without a network and without writing: auto (where the system can), off, "
        "require (or refuse to begin).",
    ),
]
"""The same."""
