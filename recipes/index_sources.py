"""Index clips and pictures that a table lists, so that they can be extracted, split and held out by source.

    python recipes/index_sources.py generated.tsv FOLDER -o generated.csv
    unmask extract generated.csv --frames 16 -o .data/generated

The table is tab-separated (.gz is read too) with the columns file and label; and where there are: source or
repo, family or set, group or person, attributes. A source is a repository, a data set or a generator: what is
left out together when one asks how a detector does on footage that it never saw. Several repositories with
clips of one data set are one source, see `DATA_SETS`. A group, a person or a pair of people, is never on both
sides of a split.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pandas as pd

from unmask.data import write_index_file
from unmask.lab.datasets.video_index import COLUMNS

DATA_SETS = {
    r"(^|/)(mead_|dreamtalk_data__style_clip)": "MEAD",
    r"(^|/)grid_": "GRID",
    r"(^|/)lrs[23]_": "LRS",
    r"(^|/)celebvhq_": "CelebV-HQ",
    r"(^|/)CelebV-HQ\+": "CelebV-HQ",
    r"(^|/)LIA_data__vox": "VoxCeleb",
}
"""Names of files, as a pattern, of which the data set behind several repositories is known."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path, help="tab-separated, .tsv or .tsv.gz")
    parser.add_argument("folder", type=Path, help="where the files of the table lie")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the index, .csv")
    parser.add_argument("--only", metavar="PATTERN", help="a regular expression that files must match")
    parser.add_argument("--source", help="what to call all of it, where the table does not say")
    options = parser.parse_args()
    table = pd.read_csv(options.table, sep="\t", dtype=str, keep_default_na=False)
    frame = index_table(table, options.folder, only=options.only, source=options.source)
    write_index_file(frame, options.output)
    print(frame.groupby(["label", "part"]).size().to_string())


def index_table(
    table: pd.DataFrame, folder: Path, *, only: str | None = None, source: str | None = None
) -> pd.DataFrame:
    """One row a file that is there, with the columns of a video index, ``family`` and ``attributes``.

    Args:
        table: As above.
        folder: Where its files lie.
        only: A regular expression that files must match.
        source: Of files that the table gives none.

    Raises:
        SystemExit: The table lacks a column, or none of its files is there.
    """
    table = table.rename(columns={"path": "file"} if "file" not in table else {})
    lacking = [name for name in ("file", "label") if name not in table]
    if lacking:
        raise SystemExit(f"the table must have the columns file and label, lacks {', '.join(lacking)}")
    if only:
        table = table[table["file"].str.contains(only)]
    table = table[[(folder / name).is_file() for name in table["file"]]]
    if table.empty:
        raise SystemExit(f"{folder} must hold files of the table, found none")

    def first(*names: str) -> pd.Series:
        found = next((table[name] for name in names if name in table), None)
        return pd.Series("", table.index) if found is None else found

    frame = pd.DataFrame(index=pd.Index(table["file"], name="name"), columns=list(COLUMNS))
    frame["path"] = [str((folder / name).absolute()) for name in table["file"]]
    frame["label"] = table["label"].str.upper().to_numpy()
    sources = first("source", "repo").str.removeprefix("github ").str.partition(" ")[0]
    frame["part"] = [
        find_data_set(name) or given or source for name, given in zip(table["file"], sources, strict=True)
    ]
    frame["person"] = first("group", "person").to_numpy()
    frame["status"] = "ok"
    frame["family"] = first("family", "set").to_numpy()
    frame["attributes"] = first("attributes").to_numpy()
    if frame["part"].isna().any():
        raise SystemExit("the table gives no source; say it with --source")
    return frame


def find_data_set(name: str) -> str | None:
    """The data set behind a file, by its name.

    >>> find_data_set("real_videos/mead_W023_level_2.mp4"), find_data_set("real_videos/conan.mp4")
    ('MEAD', None)
    """
    return next((found for pattern, found in DATA_SETS.items() if re.search(pattern, name)), None)


if __name__ == "__main__":
    main()
