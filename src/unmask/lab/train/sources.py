"""The data of a recipe, held against its rules before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unmask.errors import DataError
from unmask.lab.crops.samples import Sample
from unmask.lab.crops.shards import CropReader, check_shards, read_index
from unmask.lab.forge.settings import PairSettings
from unmask.lab.train.aligned import Original, find_originals
from unmask.lab.train.labelled import (
    TEST,
    VALIDATION,
    open_folders,
    prove_apart,
    split_people,
    warn_of_one_class,
)
from unmask.lab.train.recipe import Recipe
from unmask.lab.train.samplers import People, Stored

LABELLED, ALIGNED, STRANGERS = "labelled", "aligned", "aligned_strangers"


@dataclass(frozen=True, slots=True)
class Sources:
    """What a run trains on and validates on.

    Attributes:
        pairs: The recipe's, with whoever is in validation held out.
        people: Labelled samples to train on, where the recipe names some.
        aligned: For each folder of aligned pairs its originals and how many of a step come from it.
        validation: For each set its samples with their readers.
        proofs: For each set a line that says that nobody is on both sides.
        warnings: What may teach something else than the face.
    """

    pairs: PairSettings
    people: People | None
    aligned: tuple[tuple[list[Original], int], ...]
    validation: dict[str, list[Stored]]
    proofs: tuple[str, ...]
    warnings: tuple[str, ...]


def open_sources(recipe: Recipe) -> Sources:
    """Find and check everything that a recipe reads.

    Raises:
        DataError: A folder or a class is missing, a shard is cut short, nobody is left to train on, or
            somebody is both trained on and validated on.
    """
    pairs, settings = recipe.pairs, recipe.labelled
    stored = _read_whole(recipe.crops) if pairs.pairs_per_step else []
    validation = {
        name: [(CropReader(folder), sample) for sample in _read_whole(folder)]
        for name, folder in recipe.validation.items()
    }
    people = None
    labelled: list[Stored] = []
    if settings is not None:
        for folder in settings.folders:
            _read_whole(Path(folder))
        labelled, kept = split_people(
            open_folders(settings.folders), share=settings.validation_share, held_out=pairs.held_out
        )
        people = People(labelled)
        if kept:
            validation[LABELLED] = kept
    aligned, kept = _open_aligned(recipe)
    # Who is named was held out with all that shows them; of an original that nobody is named for, other clips
    # of the same person may be trained on. Then the original stands for the person.
    named = [item for item in kept if item[1].identity not in item[1].original]
    lone = [item for item in kept if item[1].identity in item[1].original]
    validation |= {name: part for name, part in ((ALIGNED, lone), (STRANGERS, named)) if part}
    warnings = warn_of_one_class([sample for _, sample in labelled])
    labelled += [item for originals, _ in aligned for o in originals for item in (o.real, *o.fakes)]
    pairs = _hold_out(pairs, [s for _, s in validation.get(LABELLED, [])], stored)
    real = [s for s in stored if s.label == "REAL" and not s.identity.startswith(pairs.held_out)]
    if not pairs.source_weights:
        pairs = replace(pairs, source_weights=dict.fromkeys(sorted({s.source for s in real}), 1.0))
    names = {name for sources in pairs.source_weights for name in sources.split("+")}
    reals = [s for s in real if s.source in names]
    if not reals and pairs.pairs_per_step:
        raise DataError(
            f"{recipe.crops} must hold a real face to train on from {', '.join(sorted(names))}, got "
            f"{len(stored)} samples from {', '.join(sorted({s.source for s in stored})) or 'nowhere'}; see "
            "source_weights and held_out of [pairs]"
        )
    for name, samples in validation.items():
        _need_both_classes(name, samples)
    trained = reals + [sample for _, sample in labelled]
    proofs = [prove_apart(trained, [s for _, s in kept], name=name) for name, kept in validation.items()]
    return Sources(pairs, people, tuple(aligned), validation, tuple(proofs), warnings)


def _open_aligned(recipe: Recipe) -> tuple[list[tuple[list[Original], int]], list[Stored]]:
    """Originals of each folder to train on, and the samples of those that are kept for validation."""
    found: list[tuple[list[Original], int]] = []
    held: list[Stored] = []
    if recipe.aligned is None:
        return found, held
    for folder, count in recipe.aligned.pairs_per_step.items():
        _read_whole(Path(folder))
        trained, kept = split_people(
            open_folders([folder]),
            share=recipe.aligned.validation_share,
            held_out=recipe.pairs.held_out,
        )
        originals = find_originals(trained)
        if not originals:
            raise DataError(
                f"{folder} must hold fakes that are aligned with their originals, got none among "
                f"{len(trained)} samples to train on; name it in [labelled] instead"
            )
        found.append((originals, count))
        for original in find_originals(kept):
            held += [original.real, original.fakes[0]]  # one fake each, or the many would drown the rest
    return found, held


def check_shares(recipe: Recipe, processes: int) -> None:
    """Hold the size of a step against the number of parts that it is made and learned in.

    Raises:
        DataError: It cannot be divided evenly.
    """
    parts = processes * recipe.loop.accumulate
    sizes = {"pairs_per_step": recipe.pairs.pairs_per_step}
    if recipe.aligned is not None:
        sizes["[aligned] pairs_per_step"] = recipe.aligned.total
    if recipe.labelled is not None:
        sizes["crops_per_step"] = recipe.labelled.crops_per_step
    for name, size in sizes.items():
        if size % parts:
            raise DataError(
                f"{name} must be divisible by processes x accumulate, got {size} for {processes} x "
                f"{recipe.loop.accumulate}"
            )


def _read_whole(folder: Path) -> list[Sample]:
    samples = read_index(folder)
    if not samples:
        raise DataError(f"{folder} must hold packed faces, its index is empty; pack videos that show some")
    check_shards(folder, samples)
    return samples


def _hold_out(pairs: PairSettings, kept: Sequence[Sample], stored: Sequence[Sample]) -> PairSettings:
    """Settings under which no pseudo-fake is made of a person who is kept for validation or a test."""
    people = {sample.identity for sample in kept} & {sample.identity for sample in stored}
    people |= {sample.identity for sample in stored if sample.split in (VALIDATION, TEST)}
    return replace(pairs, held_out=(*pairs.held_out, *sorted(people)))


def _need_both_classes(name: str, samples: Sequence[Stored]) -> None:
    fakes = sum(sample.label == "FAKE" for _, sample in samples)
    if not 0 < fakes < len(samples):
        raise DataError(
            f"validation {name!r} must hold both classes, got {fakes} fakes of {len(samples)}; "
            "give it labelled videos of both, raise validation_share if it is that of [labelled], or leave "
            "it out"
        )
