"""Indexes of data sets that were never there."""

import pandas

from unmask.lab.datasets.video_index import COLUMNS


def frame_of(originals, *, fakes=3, parts=4, first=0):
    """An index of originals ``oN`` and fakes ``oN_fM``."""
    rows = []
    for number in range(first, first + originals):
        part = f"part_{number % parts}"
        rows.append({"name": f"o{number}", "label": "REAL", "original": None, "part": part})
        for fake in range(fakes):
            rows.append(
                {"name": f"o{number}_f{fake}", "label": "FAKE", "original": f"o{number}", "part": part}
            )
    frame = pandas.DataFrame(rows).set_index("name")
    frame["status"] = "ok"
    for name, kind in COLUMNS.items():
        frame[name] = frame[name].astype(kind) if name in frame else pandas.Series(None, frame.index, kind)
    return frame[list(COLUMNS)]
