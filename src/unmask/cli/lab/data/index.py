"""``unmask data index``: one row a video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pandas import DataFrame


def index(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Folders, zip files (read in place), s3://bucket/folder."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The index, .parquet or .csv.")],
    layout: Annotated[
        str, typer.Option(help="auto, dfdc, faceforensics, celebdf, real-fake or plain.")
    ] = "auto",
    probe: Annotated[
        bool, typer.Option(help="Open every video; without it only names and labels are read.")
    ] = True,
    sha256: Annotated[bool, typer.Option("--sha256", help="Hash every file, which reads all of it.")] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes (default: the cores, at most 4).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The counts as JSON.")] = False,
) -> None:
    """List the videos of a data set: labels, originals, what the containers say, what is wrong with them.

    Missing, duplicate, unlisted and damaged files are rows with a status. Names that lead out of the set,
    broken tables and zip bombs are refused.
    """
    from unmask.cli.running import counting, stopping_on_errors
    from unmask.lab.datasets.video_index import check_index_path, write_index_file
    from unmask.lab.datasets.video_index import index as make_index
    from unmask.work.processes import default_jobs

    with stopping_on_errors("nothing was written"):
        check_index_path(output)
        with counting("opening") as on_probed:
            frame = make_index(
                paths,
                layout=layout,
                probe=probe,
                sha256=sha256,
                jobs=jobs or default_jobs(),
                on_probed=on_probed,
            )
        write_index_file(frame, output)
        _tell(_count(frame), output, as_json=json)


def _count(frame: DataFrame) -> dict[str, Any]:
    from unmask.lab.datasets.video_index import told_status, usable

    status = frame["status"].value_counts()
    ok = usable(frame)
    return {
        "videos": len(frame),
        "status": {str(name): int(count) for name, count in status.items()},
        "real": int((ok["label"] == "REAL").sum()),
        "fake": int((ok["label"] == "FAKE").sum()),
        "unlabelled": int(ok["label"].isna().sum()),
        "bytes": int(frame["size_bytes"].sum()),
        "wrong": told_status(frame[frame["status"] != "ok"]).to_dict(),
    }


def _tell(counts: dict[str, Any], output: Path, *, as_json: bool) -> None:
    from unmask.cli.terminal import printable
    from unmask.files import size_words

    if as_json:
        from json import dumps

        typer.echo(dumps(counts))
        return
    labels = f"{counts['fake']} fake, {counts['real']} real, {counts['unlabelled']} without a label"
    typer.echo(f"{counts['videos']} videos in {output}: {labels}; {size_words(counts['bytes'])}")
    wrong = list(counts["wrong"].items())
    for name, status in wrong[:10]:
        typer.echo(printable(f"  {name}: {status}"))
    if len(wrong) > 10:
        rest = ", ".join(f"{count} {name}" for name, count in counts["status"].items() if name != "ok")
        typer.echo(f"  ... in all {rest}; see the columns status and why")
