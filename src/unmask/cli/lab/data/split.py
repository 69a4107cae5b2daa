"""``unmask data split``: who trains, who validates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unmask.lab.datasets.split import SplitProof, SplitSettings

_NOTICED = 0.025
"""Shares of a split may differ by so much from those that were asked for before that is told."""


def split(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="As unmask data index wrote it.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The index with its split, .parquet or .csv.")
    ],
    by: Annotated[str, typer.Option(help="What stays together: original, person or part.")] = "original",
    shares: Annotated[str, typer.Option(help="Name and share of each split.")] = "train=0.8,val=0.1,test=0.1",
    seed: Annotated[int, typer.Option(help="Another number gives another split.")] = 0,
    stratify: Annotated[
        bool, typer.Option("--stratify", help="Exact shares of groups with reals, fakes and both.")
    ] = False,
    like: Annotated[
        Path | None, typer.Option(metavar="INDEX", help="An earlier split; its groups stay where they are.")
    ] = None,
    audit: Annotated[
        Path | None,
        typer.Option(metavar="JSON", help="What unmask data audit found; near duplicates stay together."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The counts as JSON.")] = False,
) -> None:
    """Split an index so that nothing that belongs together is on two sides, and check that.

    A group goes where the hash of its name says: more files later change nothing.
    """
    from unmask.cli.running import stopping_on_errors
    from unmask.errors import DataError
    from unmask.lab.datasets.split import SplitSettings, parse_shares, prove_split, split_index
    from unmask.lab.datasets.video_index import check_index_path, read_index_file, write_index_file

    with stopping_on_errors("nothing was written"):
        check_index_path(output)
        settings = SplitSettings(by=by, shares=parse_shares(shares), seed=seed, stratify=stratify)
        links: list[list[str]] = []
        if audit is not None:
            from unmask.lab.datasets.audit_file import read_links

            links = read_links(audit)
        earlier = read_index_file(like) if like is not None else None
        frame = split_index(read_index_file(index), settings, links=links, earlier=earlier)
        write_index_file(frame, output)
        proof = prove_split(read_index_file(output))
        _tell(proof, settings, as_json=json)
        if proof.crossing["group"][0]:
            raise DataError(f"{proof.crossing['group'][0]} groups are on two sides; please report this")


def _tell(proof: SplitProof, settings: SplitSettings, *, as_json: bool) -> None:
    from unmask.cli.terminal import printable

    if as_json:
        from dataclasses import asdict
        from json import dumps

        typer.echo(dumps(asdict(proof) | {"asked": dict(settings.shares)}))
        _tell_if_off(proof, settings)
        return
    total = sum(count.videos for count in proof.counts.values()) or 1
    head = ("groups", "originals", "videos", "real", "fake", "share", "asked")
    typer.echo(f"{'split':10}" + "".join(f" {title:>9}" for title in head))
    for name, n in sorted(proof.counts.items(), key=lambda item: -item[1].videos):
        row = "".join(f" {number:9}" for number in (n.groups, n.originals, n.videos, n.real, n.fake))
        asked = f"{settings.shares[name]:9.1%}" if name in settings.shares else f"{'-':>9}"
        typer.echo(f"{printable(name):10}{row} {n.videos / total:9.1%} {asked}")
    for name, (crossing, known) in proof.crossing.items():
        typer.echo(f"on two sides by {name}: {crossing} of {known}")
    _tell_if_off(proof, settings)


def _tell_if_off(proof: SplitProof, settings: SplitSettings) -> None:
    """Say on stderr that the shares are not those that were asked for, why, and what helps."""
    total = sum(count.videos for count in proof.counts.values()) or 1
    got = {
        name: proof.counts[name].videos / total if name in proof.counts else 0.0 for name in settings.shares
    }
    if all(abs(got[name] - share) <= _NOTICED for name, share in settings.shares.items()):
        return
    asked, found = (
        "/".join(f"{100 * share:.0f}" for share in way.values()) for way in (settings.shares, got)
    )
    groups = sum(count.groups for count in proof.counts.values())
    count = "1 group" if groups == 1 else f"{groups} groups"
    why = "a group's side depends on its name alone, so with few groups shares are off by chance"
    way_out = "--stratify deals groups out by share, another --seed draws again"
    if settings.stratify:
        why, way_out = (
            "groups are dealt out whole, and their sizes differ",
            "smaller groups or more videos help",
        )
    typer.echo(
        f"note: {'/'.join(settings.shares)} got {found} % of the videos, asked were {asked} %: videos of one "
        f"{settings.by} stay together (here {count}), and {why}; {way_out}",
        err=True,
    )
