"""Options of a scan of a whole archive."""

from __future__ import annotations

from typing import Annotated

import typer

ARCHIVE = "Whole archives (with -o)"
"""Under which heading the help shows them."""

EngineOption = Annotated[
    str,
    typer.Option("--engine", help="local (processes) or ray (a cluster).", rich_help_panel=ARCHIVE),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address", help="Of a Ray cluster; without it one is started here.", rich_help_panel=ARCHIVE
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Do only this part; auto, or auto/N, takes it from Slurm, AWS Batch or Kubernetes.",
        rich_help_panel=ARCHIVE,
    ),
]
ShardFilesOption = Annotated[
    int,
    typer.Option("--shard-files", metavar="N", help="Records in a file.", rich_help_panel=ARCHIVE),
]
RetryOption = Annotated[
    bool,
    typer.Option("--retry-failed", help="Do again what is unreadable or an error.", rich_help_panel=ARCHIVE),
]
TopOption = Annotated[
    int,
    typer.Option(
        "--report-top",
        metavar="N",
        help="Write a report of the N most suspicious files, up to 100.",
        rich_help_panel=ARCHIVE,
    ),
]
PlanOption = Annotated[
    bool,
    typer.Option(
        "--plan",
        help="Judge ten files and say what all will cost; nothing is written.",
        rich_help_panel=ARCHIVE,
    ),
]
PriceOption = Annotated[
    float | None,
    typer.Option(
        "--price", metavar="X", help="With --plan: what a core costs an hour.", rich_help_panel=ARCHIVE
    ),
]
WatchOption = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="PATH is a place where files arrive; judge them once they are whole, until Ctrl-C.",
        rich_help_panel=ARCHIVE,
    ),
]
