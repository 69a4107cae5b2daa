"""Index clips of generated, reenacted and lip-synced heads, so that they can be extracted and split.

    python recipes/index_generated.py generated.tsv -o generated.csv
    unmask extract generated.csv --frames 48 -o .data/generated

The table has the columns file, label, family and group; a family becomes the source, a group (a person, or a
pair of people) the identity, which is never on both sides of a split.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from unmask.data import index, write_index_file


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path, help="tab-separated; the files lie in a folder of its name")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    with options.table.open(newline="") as file:
        rows = {Path(row["file"]).name: row for row in csv.DictReader(file, delimiter="\t")}
    frame = index(options.table.with_suffix(""), probe=False)
    known = [rows.get(Path(name).name) for name in frame.index]
    frame = frame[[row is not None for row in known]].copy()
    listed = [row for row in known if row is not None]
    frame["label"] = [row["label"].upper() for row in listed]
    frame["part"] = [row["family"] for row in listed]
    frame["person"] = [row["group"] for row in listed]
    write_index_file(frame, options.output)
    print(frame.groupby(["label", "part"]).size().to_string())


if __name__ == "__main__":
    main()
