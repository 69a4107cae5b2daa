"""The list of those whose content credentials count, for every command that makes reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TrustListOption = Annotated[
    Path | None,
    typer.Option(
        "--trust-list",
        metavar="PEM",
        help="Of reports: certificates of those whose content credentials (C2PA) count, in place of the "
        "official list that ships.",
    ),
]


def checked(trust_list: Path | None) -> str:
    """The list as reports take it, after a look at it.

    Raises:
        SettingsError: It cannot be read, or holds no certificate.
    """
    if trust_list is None:
        return ""
    from unmask.report.trusted import read_trust_list

    read_trust_list(trust_list)
    return str(trust_list.absolute())
