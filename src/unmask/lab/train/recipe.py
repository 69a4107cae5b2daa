"""A recipe: everything that a training run depends on, in one TOML file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from unmask.config import CropSettings
from unmask.errors import SettingsError, require
from unmask.files import read_toml
from unmask.lab.forge.clips import ClipSettings
from unmask.lab.forge.settings import PairSettings
from unmask.lab.models.foundations import WHEELS
from unmask.lab.train.aligned import AlignedSettings
from unmask.lab.train.labelled import LabelledSettings
from unmask.tables import build_settings


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How the network learns.

    Attributes:
        backbone: ``lite0``, ``lite1``, ``lite2``, a foundation network (``clip_b16``, ``dinov2_s``), ``tiny``
            for trials, or a network of timm by its name.
        wheels: Folder of the wheels that foundation networks lie in.
        tuned: What of the backbone learns: ``all``, its ``norms``, or nothing (``head``). What judges by it
            learns always.
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
        rank_across: Want it above every real of a micro-batch, of other scenes too.
        mask_weight: Weight of the loss that wants the blended region found.
        hard_share: Share of a micro-batch's pairs, those of the highest loss, that is learned from.
        sam_radius: How far the weights are moved to where the loss is worst before the gradient is taken, as
            sharpness-aware minimisation does at twice the cost of a step; 0 does not.
        style_mix_share: Chance, at each of two early stages, that features of each crop get the mean and
            spread of another's.
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
    wheels: str = str(WHEELS)
    tuned: str = "all"
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
    rank_across: bool = False
    mask_weight: float = 0.5
    hard_share: float = 1.0
    sam_radius: float = 0.0
    style_mix_share: float = 0.0
    ema_decay: float = 0.998
    accumulate: int = 1
    mixed_precision: str = "no"
    workers: int = 2
    checkpoint_every: int = 200
    validate_every: int = 1000
    patience: int = 0
    stop_on: str = ""

    def __post_init__(self) -> None:
        require(self.steps >= 1, "steps must be 1 or more", self.steps)
        require(self.learning_rate > 0, "learning_rate must be above 0", self.learning_rate)
        require(self.warmup_steps >= 0, "warmup_steps must be 0 or more", self.warmup_steps)
        ok = 0 <= self.cooldown_steps <= self.steps
        require(ok, "cooldown_steps must be 0 to steps", self.cooldown_steps)
        require(0 <= self.dropout < 1, "dropout must be 0 to below 1", self.dropout)
        require(0 < self.hard_share <= 1, "hard_share must be above 0, at most 1", self.hard_share)
        require(self.sam_radius >= 0, "sam_radius must be 0 or more", self.sam_radius)
        require(0 <= self.style_mix_share <= 1, "style_mix_share must be 0 to 1", self.style_mix_share)
        require(0 <= self.ema_decay < 1, "ema_decay must be 0 to below 1", self.ema_decay)
        require(self.accumulate >= 1, "accumulate must be 1 or more", self.accumulate)
        require(self.tuned in TUNED, f"tuned must be one of {', '.join(TUNED)}", self.tuned)
        ok = self.mixed_precision in ("no", "bf16")
        require(ok, "mixed_precision must be no or bf16", self.mixed_precision)
        require(self.checkpoint_every >= 1, "checkpoint_every must be 1 or more", self.checkpoint_every)
        require(self.validate_every >= 1, "validate_every must be 1 or more", self.validate_every)
        require(self.patience >= 0, "patience must be 0 or more", self.patience)


JOINS = ("logits", "weights", "apart")
TUNED = ("all", "norms", "head")


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run.

    Attributes:
        name: Of the weights; letters, digits and ``. _ -``, as files and folders are named by it.
        crops: Folder of packed crops to train on, relative to the working directory.
        validation: Folders of packed, labelled crops; a name for each.
        view: The crop that validation and inference cut.
        pairs: What batches are drawn from.
        loop: How the network learns.
        clip: What a clip is, for a network that judges clips; without it single frames are judged.
        labelled: Labelled crops that are mixed in.
        aligned: Labelled pairs, aligned pixel by pixel, that are mixed in.
        members: Runs that are trained one after the other. In the file each is a table of what it changes in
            the rest, as in ``[members.NAME.loop]``.
        join: How members, all frame networks, become one model: by their ``logits``, all of them judging, or
            by their ``weights``, whose mean is one network, at the cost of one, where all go on from the same
            run (Wortsman et al., "Model soups", ICML 2022). ``apart`` leaves them apart, to be compared.
    """

    name: str
    crops: Path
    pairs: PairSettings
    validation: dict[str, Path] = field(default_factory=dict)
    view: CropSettings = field(default_factory=CropSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    clip: ClipSettings | None = None
    labelled: LabelledSettings | None = None
    aligned: AlignedSettings | None = None
    members: tuple[Recipe, ...] = ()
    join: str = "logits"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(r"\w[\w.-]*", self.name, re.ASCII):
            raise SettingsError(f"name must be letters, digits and . _ -, got {self.name!r}")
        if self.view.crop != "box":
            raise SettingsError(
                f"crop of [view] must be box, as training has no aligned crops, got {self.view.crop}"
            )
        if self.clip and self.pairs.forger == "plain":
            raise SettingsError("forger plain makes single frames; leave it out, or [clip]")
        if self.clip and self.aligned:
            raise SettingsError("aligned pairs are single frames; leave [aligned] out, or [clip]")
        if not self.members and not self.pairs.pairs_per_step and self.aligned is None:
            raise SettingsError("pairs_per_step may be 0 only beside [aligned], got 0")
        if self.join not in JOINS:
            raise SettingsError(f"join must be one of {', '.join(JOINS)}, got {self.join!r}")
        if any(member.members or (member.clip and self.join != "apart") for member in self.members):
            raise SettingsError(
                "each member must be one network for single frames; leave [clip] out, or set join = 'apart', "
                "which compares networks of any kind"
            )
        if len({member.loop.mixed_precision for member in self.members}) > 1:
            raise SettingsError("mixed_precision must be the same for all members")
        if self.join == "weights":
            _check_averaged(self.members)
        sets = [*self.validation]
        sets += [name for name in ("labelled", "aligned") if getattr(self, name) is not None]
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
        until then. How often it is saved and looked at, by how many workers it is fed, and where wheels lie,
        whose content is pinned, changes nothing.
        Settings that are left at their defaults do not count, so that a run outlives the coming of new ones.
        """
        plain = _changed(self)
        loop = plain.get("loop", {})
        for key in ("steps", "checkpoint_every", "workers", "wheels"):
            loop.pop(key, None)
        if not self.loop.patience:  # then what validation finds decides nothing
            plain.pop("validation", None)
            for key in ("validate_every", "patience", "stop_on"):
                loop.pop(key, None)
        return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()


def _check_averaged(members: tuple[Recipe, ...]) -> None:
    loops = [member.loop for member in members]
    if not loops or not all(loop.start and loop.fold_norms for loop in loops):
        raise SettingsError("join = weights needs members that have start and fold_norms; join their logits")
    if len({(loop.start, loop.backbone, loop.sees) for loop in loops}) > 1:
        raise SettingsError(
            "join = weights needs members with the same start, backbone and sees; join their logits"
        )


def _changed(settings: Any) -> dict[str, Any]:
    """What in a settings object differs from the defaults of its class."""
    found: dict[str, Any] = {}
    for item in fields(settings):
        value = getattr(settings, item.name)
        default = item.default if item.default_factory is MISSING else item.default_factory()
        if value != default:
            found[item.name] = _changed(value) if is_dataclass(value) else value
    return found


_TABLES: dict[str, type] = {
    "pairs": PairSettings,
    "view": CropSettings,
    "loop": LoopSettings,
    "clip": ClipSettings,
    "labelled": LabelledSettings,
    "aligned": AlignedSettings,
}


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


def change_table(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's table with some keys exchanged, those within its tables one by one.

    >>> change_table({"name": "a", "loop": {"seed": 1, "steps": 9}}, {"loop": {"seed": 2}})
    {'name': 'a', 'loop': {'seed': 2, 'steps': 9}}
    """
    changed = deepcopy(dict(table))
    for key, value in changes.items():
        old = changed.get(key)
        changed[key] = old | value if isinstance(old, dict) and isinstance(value, dict) else value
    return changed


def _resolve_members(table: Mapping[str, Any], members: object) -> tuple[Recipe, ...]:
    if not isinstance(members, dict) or not all(isinstance(changes, dict) for changes in members.values()):
        raise SettingsError(f"[members] must hold a table of changes for each member, got {members!r}")
    shared = {key: value for key, value in table.items() if key != "join"}  # of the whole, not of a member
    found = []
    for name, changes in members.items():
        try:
            found.append(resolve_recipe(change_table(shared, changes) | {"name": name}))
        except SettingsError as error:
            raise SettingsError(f"[members.{name}]: {error}") from error
    return tuple(found)


def resolve_recipe(table: dict[str, Any]) -> Recipe:
    """A recipe from its table, as TOML has it or as `Recipe.to_dict` gives one without members.

    Raises:
        SettingsError: A key or value breaks a rule; the message says which.
    """
    table = {"pairs": {}} | table
    parts: dict[str, Any] = {"members": _resolve_members(table, table.pop("members", None) or {})}
    for key, kind in _TABLES.items():
        if table.get(key) is not None:
            parts[key] = build_settings(kind, table[key], where=f"[{key}]")
    return build_settings(Recipe, table | parts, where="recipe")
