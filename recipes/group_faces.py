"""Group faces that were cut out already by person, so that a split by person can be made.

    pip install '.[people,train]' scipy
    python recipes/group_faces.py FACES/faces.tsv -o FACES/people.tsv [--sheet sheet.png] [--kept kept.csv]

The real face of every original is described by dlib's face recognition network (128 numbers; public domain
weights in `face-recognition-models`), and average linkage joins those that are closer than `--distance`. A
fake belongs to its original. An embedder errs both ways: the sheet shows the pairs that were joined last and
the nearest ones that were not, for a look.

The table comes out as it went in, with the columns `person` and `split`. Two parts are kept for validation,
and tell what a network gains by having seen a person before: whole people, and single originals of people who
are trained on. The latter have no person, and are those that a share of the same size keeps where nobody is
named; `--kept` lists them, each with one aligned fake, as `unmask evaluate` takes it.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.faces.embedders.dlib import find_weights
from unmask.lab.train.labelled import in_lasting_order

DISTANCE = 0.5  # dlib calls 0.6 the same person; a tight crop of 224 px is noisier than its portraits
SHEET_PAIRS, SHEET_PX = 20, 96


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path, help="name, label, original, …; pictures lie in real/NAME.jpg")
    parser.add_argument("--distance", type=float, default=DISTANCE)
    parser.add_argument("--people-share", type=float, default=0.05, help="of the originals, kept by person")
    parser.add_argument("--originals-share", type=float, default=0.06, help="of the originals, kept singly")
    parser.add_argument("--kept", type=Path, help="table of the originals that are kept singly")
    parser.add_argument("--sheet", type=Path, help="picture of doubtful pairs")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    with options.table.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    names = [row["name"] for row in rows if row["label"] == "real"]
    cache = options.output.with_suffix(".npy")
    if not cache.exists():
        np.save(cache, describe([options.table.parent / "real" / f"{name}.jpg" for name in names]))
    vectors = np.load(cache)
    people = dict(zip(names, cluster(vectors, distance=options.distance), strict=True))
    persons = {row["original"]: row["original"] for row in rows}
    persons |= {name: f"person-{number:04d}" for name, number in people.items()}
    strangers = keep_people(persons, share=options.people_share)
    drawn = in_lasting_order(f"clip {name}" for name in persons)  # as `split_people` names them
    drawn = [name.removeprefix("clip ") for name in drawn[: round(options.originals_share * len(persons))]]
    singly = {name for name in drawn if persons[name] not in strangers}
    with options.output.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "person", "split"], delimiter="\t", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            person = persons[row["original"]]
            if row["original"] in singly:
                writer.writerow(row | {"person": "", "split": "val"})
            else:
                writer.writerow(row | {"person": person, "split": "val" if person in strangers else "train"})
    sizes = np.bincount(list(people.values()))
    print(f"{len(names)} real faces, {len(sizes)} people, the largest with {sizes.max()}")
    print("faces a person, deciles:", np.percentile(sizes, np.arange(0, 101, 10)).tolist())
    if options.kept:
        list_kept(rows, singly, options.kept)
    if options.sheet:
        draw_sheet(vectors, people, options.table.parent, options.sheet)


def describe(files: list[Path]) -> NDArray[np.float32]:
    """Descriptors of faces that fill their pictures, shape (N, 128)."""
    import dlib

    models = find_weights()
    find_points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    embed = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))
    vectors = []
    for number, file in enumerate(files):
        image = np.ascontiguousarray(cv2.imread(str(file))[..., ::-1])
        side = len(image)
        points = find_points(image, dlib.rectangle(0, 0, side - 1, side - 1))
        vectors.append(embed.compute_face_descriptor(image, points))
        if number % 1000 == 0:
            print(f"{number} of {len(files)}", flush=True)
    return np.array(vectors, np.float32)


def cluster(vectors: NDArray[np.float32], *, distance: float) -> NDArray[np.int64]:
    """The number of the person of each, by average linkage, shape (N,)."""
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(vectors, "average")
    return np.asarray(fcluster(tree, distance, "distance") - 1, np.int64)


def keep_people(persons: dict[str, str], *, share: float) -> set[str]:
    """People who have a share of the originals, or a little more, from the person of each original."""
    counts = Counter(persons.values())
    kept: set[str] = set()
    left = share * len(persons)
    for person in in_lasting_order(counts):
        if left <= 0:
            break
        kept.add(person)
        left -= counts[person]
    return kept


def list_kept(rows: Iterable[dict[str, str]], originals: set[str], output: Path) -> None:
    """The real picture and one aligned fake of each original that has both, in the order of their names."""
    folder = output.resolve().parent
    reals = {row["name"] for row in rows if row["label"] == "real"} & originals
    fakes = {row["original"]: row["name"] for row in rows if row["kind"] == "aligned"}
    with output.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "label", "original"])
        for name in sorted(reals & set(fakes)):
            writer.writerow([folder / "real" / f"{name}.jpg", "REAL", ""])
            writer.writerow([folder / "fake" / f"{fakes[name]}.jpg", "FAKE", f"{name}.jpg"])


def draw_sheet(vectors: NDArray[np.float32], people: dict[str, int], folder: Path, output: Path) -> None:
    """Above, the least alike pairs within a person; below, the most alike pairs of different people."""
    names, rng = list(people), np.random.default_rng(0)
    numbers = np.array(list(people.values()))
    some = rng.permutation(len(names))[:3000]
    apart = np.linalg.norm(vectors[some, None] - vectors[None, some], axis=-1)
    same = numbers[some][:, None] == numbers[some][None, :]
    upper = np.triu(np.ones_like(same), 1)
    rows = []
    for wanted, order in ((same & upper, -1), (~same & upper, 1)):
        first, second = np.nonzero(wanted)
        best = np.argsort(order * apart[first, second])[:SHEET_PAIRS]
        for side in (first[best], second[best]):
            faces = [cv2.imread(str(folder / "real" / f"{names[some[at]]}.jpg")) for at in side]
            rows.append(np.hstack([cv2.resize(face, (SHEET_PX, SHEET_PX)) for face in faces]))
    cv2.imwrite(str(output), np.vstack(rows))


if __name__ == "__main__":
    main()
