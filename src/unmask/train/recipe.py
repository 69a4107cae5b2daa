"""A recipe: everything that a training run depends on, in one TOML file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from unmask.config import CropSettings, PairSettings
from unmask.data.clips import ClipSettings
from unmask.data.labelled import LabelledSettings
from unmask.errors import SettingsError
from unmask.files import read_toml


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How the network learns.

    Attributes:
        backbone: ``lite0``, ``lite1``, ``lite2``, ``tiny`` for trials, or a network of timm by its name.
        sees: What the network is given of a crop: ``colour``, the picture, or ``detail``, what is fine in it.
        start: Folder of an earlier run whose averaged weights this one begins with; empty for ImageNet's.
        fold_norms: Merge batch normalisation into the convolutions before the first step.
        seed: Of every random choice of the run.
        steps: Optimiser steps.
        learning_rate: Peak, reached after ``warmup_steps`` and held until the cool-down.
        warmup_steps: Steps of linear rise.
        cooldown_steps: Steps at the end in which it falls along a cosine to a hundredth.
        weight_decay: AdamW's.
        dropout: Share of pooled features dropped.
        rank_weight: Weight of the loss that wants each fake above its own real.
        mask_weight: Weight of the loss that wants the blended region found.
        hard_share: Share of a micro-batch's pairs, those of the highest loss, that is learned from.
        sam_radius: How far the weights are moved to where the loss is worst before the gradient is taken, as
            sharpness-aware minimisation does at twice the cost of a step; 0 does not.
        ema_decay: Of the running average of weights that is validated and exported.
        accumulate: Micro-batches whose gradients are added before a step.
        mixed_precision: ``no`` or ``bf16``.
        workers: Processes that make batches, for each training process.
        checkpoint_every: Steps between checkpoints.
        validate_every: Steps between validations.
        patience: Validations in a row without a better ``stop_on`` after which the cool-down begins early;
            0 never stops early.
        stop_on: Metric that must rise, such as ``mini_auc``; empty for the mean AUC of all validation sets.
    """

    backbone: str = "lite0"
    sees: str = "colour"
    start: str = ""
    fold_norms: bool = False
    seed: int = 0
    steps: int = 5000
    learning_rate: float = 6e-4
    warmup_steps: int = 300
    cooldown_steps: int = 1000
    weight_decay: float = 0.02
    dropout: float = 0.2
    rank_weight: float = 0.5
    mask_weight: float = 0.5
    hard_share: float = 1.0
    sam_radius: float = 0.0
    ema_decay: float = 0.998
    accumulate: int = 1
    mixed_precision: str = "no"
    workers: int = 2
    checkpoint_every: int = 200
    validate_every: int = 1000
    patience: int = 0
    stop_on: str = ""

    def __post_init__(self) -> None:
        rules = {
            "steps must be 1 or more": (self.steps >= 1, self.steps),
            "learning_rate must be above 0": (self.learning_rate > 0, self.learning_rate),
            "warmup_steps must be 0 or more": (self.warmup_steps >= 0, self.warmup_steps),
            "cooldown_steps must be 0 to steps": (
                0 <= self.cooldown_steps <= self.steps,
                self.cooldown_steps,
            ),
            "dropout must be 0 to below 1": (0 <= self.dropout < 1, self.dropout),
            "hard_share must be above 0, at most 1": (0 < self.hard_share <= 1, self.hard_share),
            "sam_radius must be 0 or more": (self.sam_radius >= 0, self.sam_radius),
            "ema_decay must be 0 to below 1": (0 <= self.ema_decay < 1, self.ema_decay),
            "accumulate must be 1 or more": (self.accumulate >= 1, self.accumulate),
            "mixed_precision must be no or bf16": (
                self.mixed_precision in ("no", "bf16"),
                self.mixed_precision,
            ),
            "checkpoint_every must be 1 or more": (self.checkpoint_every >= 1, self.checkpoint_every),
            "validate_every must be 1 or more": (self.validate_every >= 1, self.validate_every),
            "patience must be 0 or more": (self.patience >= 0, self.patience),
        }
        for rule, (ok, value) in rules.items():
            if not ok:
                raise SettingsError(f"{rule}, got {value!r}")


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run.

    Attributes:
        name: Of the weights.
        crops: Folder of packed crops to train on, relative to the working directory.
        validation: Folders of packed, labelled crops; a name for each.
        view: The crop that validation and inference cut.
        pairs: What batches are drawn from.
        loop: How the network learns.
        clip: What a clip is, for a network that judges clips; without it single frames are judged.
        labelled: Labelled crops that are mixed in.
        members: Folders of finished runs of frame networks; they are joined to judge together, and nothing
            is trained.
    """

    name: str
    crops: Path
    pairs: PairSettings
    validation: dict[str, Path] = field(default_factory=dict)
    view: CropSettings = field(default_factory=CropSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    clip: ClipSettings | None = None
    labelled: LabelledSettings | None = None
    members: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.members and (self.clip or self.labelled):
            raise SettingsError(
                "members are joined as they are, and [clip] and [labelled] have nothing to do; leave them out"
            )
        sets = [*self.validation, *(["labelled"] if self.labelled else [])]
        metrics = [f"{name}_{metric}" for name in sets for metric in ("auc", "pairs")]
        if self.loop.patience and not sets:
            raise SettingsError(
                f"patience needs something to validate on, got {self.loop.patience} without [validation]"
            )
        if self.loop.stop_on and self.loop.stop_on not in metrics:
            known = ", ".join(metrics) or "none, as there is no [validation]"
            raise SettingsError(f"unknown stop_on {self.loop.stop_on!r}; choose from: {known}")

    @property
    def kind(self) -> str:
        """What the network judges, ``frame`` or ``clip``, as on a model's card."""
        return "frame" if self.clip is None else "clip"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, as saved beside the weights."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return plain

    def digest(self) -> str:
        """SHA-256 of all that decides the weights before the cool-down; a checkpoint belongs to one digest.

        The length of the run decides only when the cool-down begins, so a run may be made longer or shorter
        until then. How often it is saved and looked at, and by how many workers it is fed, changes nothing.
        """
        plain = self.to_dict()
        loop = plain["loop"]
        for key in ("steps", "checkpoint_every", "workers"):
            del loop[key]
        if not self.loop.patience:  # then what validation finds decides nothing
            del plain["validation"]
            for key in ("validate_every", "patience", "stop_on"):
                del loop[key]
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _build(kind: type, table: object, *, where: str) -> Any:
    """A settings class from a TOML table; unknown and missing keys are named."""
    if not isinstance(table, dict):
        raise SettingsError(f"{where} must be a table, got {table!r}")
    known = {item.name: item for item in fields(kind)}
    for key in table:
        if key not in known:
            raise SettingsError(f"{where} has an unknown key {key!r}; choose from: {', '.join(known)}")
    for key, item in known.items():
        if key not in table and item.default is MISSING and item.default_factory is MISSING:
            raise SettingsError(f"{where} must have a key {key!r}")
    try:
        return kind(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
        )
    except TypeError as error:
        raise SettingsError(f"{where} has a value of the wrong type: {error}") from error


def read_recipe(file: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        SettingsError: The file is no TOML, or a key or value breaks a rule; the message says which.
    """
    table = read_toml(file)
    try:
        return resolve_recipe(table)
    except SettingsError as error:
        raise SettingsError(f"{file}: {error}") from error


def _folders(table: object) -> dict[str, Path]:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise SettingsError(f"[validation] must name folders, got {table!r}")
    return {key: Path(value) for key, value in table.items()}


def resolve_recipe(table: dict[str, Any]) -> Recipe:
    """A recipe from its table, as TOML has it or as `Recipe.to_dict` gives it; the table is used up.

    Raises:
        SettingsError: A key or value breaks a rule; the message says which.
    """
    parts: dict[str, Any] = {
        "pairs": _build(PairSettings, table.pop("pairs", {}), where="[pairs]"),
        "view": _build(CropSettings, table.pop("view", {}), where="[view]"),
        "loop": _build(LoopSettings, table.pop("loop", {}), where="[loop]"),
        "validation": _folders(table.pop("validation", {})),
    }
    for key, kind in (("clip", ClipSettings), ("labelled", LabelledSettings)):
        if table.get(key) is not None:
            parts[key] = _build(kind, table.pop(key), where=f"[{key}]")
    if "crops" in table:
        parts["crops"] = Path(table.pop("crops"))
    recipe: Recipe = _build(Recipe, table | parts, where="recipe")
    return recipe
