"""Run a model over face crops: crops in, one logit a crop out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from unmask.config import ScoreSettings
from unmask.errors import ModelError
from unmask.judge.card import Card, card_path, read_card, read_weights
from unmask.judge.devices import (
    CPU,
    DEVICES,
    ON_CPU,
    Choice,
    batch_crops,
    choose_device,
    plug_options,
    plugged,
    providers,
)
from unmask.types import Crops

Logits = NDArray[np.float32]

# onnxruntime's own errors have no common base below Exception.
_ORT_ERRORS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    RuntimeError,
    ValueError,
)


class Scores(NamedTuple):
    """What a network says of crops.

    Attributes:
        logits: Log odds of a fake before calibration, shape (N,).
        drawn: How much each looks drawn, painted or rendered, in the measure of the card's
            ``drawn_at_least``, shape (N,); None where the network does not tell.
    """

    logits: Logits
    drawn: Logits | None = None


class CropScorer(Protocol):
    """What `score_crops` needs of a model."""

    @property
    def card(self) -> Card:
        """What is known of the weights."""

    def logits(self, images: NDArray[np.uint8]) -> Logits:
        """Logits, shape (N,), of RGB images, shape (N, 3, S, S)."""


@dataclass(frozen=True, slots=True, eq=False)
class OnnxModel:
    """A network in onnxruntime with its card.

    Attributes:
        card: What is known of it.
        session: Runs it.
        device: What it runs on, and why that is not what was asked for.
    """

    card: Card
    session: ort.InferenceSession
    device: Choice = ON_CPU

    def __repr__(self) -> str:
        return f"<OnnxModel {self.card.name} {self.card.version} on {self.device.name}>"

    @property
    def judges_clips(self) -> bool:
        """Whether all crops of a person are judged together."""
        return self.card.kind == "clip"

    def logits(self, images: NDArray[np.uint8]) -> Logits:
        """Run the network once.

        Args:
            images: RGB, shape (N, 3, S, S), uint8, with S of the card; for a clip model all of one person.

        Returns:
            Log odds of a fake, shape (N,), before calibration.

        Raises:
            ModelError: The network fails, or gives something other than one finite number a crop.
        """
        return self.look(images).logits

    def look(self, images: NDArray[np.uint8]) -> Scores:
        """The same with all that the network says; raises as `logits`."""
        with _as_model_error(self.card):
            crops = np.ascontiguousarray(images)
            outputs = self.session.run(
                _outputs(self.card), {"crops": crops[None] if self.judges_clips else crops}
            )
        found = [one[0] if self.judges_clips and len(one) == 1 else one for one in outputs]
        return Scores(*(_checked(one, self.card, len(images)) for one in found))


def load_model(model: str | Path | None = None, settings: ScoreSettings | None = None) -> OnnxModel:
    """Read a card, check its weights, load them and try them once.

    Args:
        model: Path of a card; None takes the shipped model.
        settings: Threads and device.

    Raises:
        ModelError: Card, weights or what they compute break a rule.
    """
    settings = settings or ScoreSettings()
    path = card_path(model)
    card = read_card(path)
    data = read_weights(card, path.parent)
    loaded = _open(card, data, settings)
    _check_signature(card, loaded.session)
    loaded.logits(np.full((2, 3, card.size_px, card.size_px), 127, np.uint8))  # NaN weights show here
    return loaded


def score_crops(model: CropScorer, crops: Crops, settings: ScoreSettings | None = None) -> Scores:
    """Score every crop of one person, a bounded number at a time; a clip model gets them all at once.

    Args:
        model: The network.
        crops: Images of the size on the model's card, shape (T, 3, S, S).
        settings: Crops a batch.

    Returns:
        What it says of each crop, shape (T,).

    Raises:
        ModelError: The crops have another size than the card says, or the network fails.
    """
    device = (model.device if isinstance(model, OnnxModel) else ON_CPU).name
    step = len(crops) if model.card.kind == "clip" else batch_crops(device, settings or ScoreSettings())
    side = model.card.size_px
    if crops.images.shape[1:] != (3, side, side):
        raise ModelError(
            f"model {model.card.name} takes crops of (3, {side}, {side}), got {crops.images.shape[1:]}"
        )
    chunks = [crops.images[i : i + step] for i in range(0, len(crops), max(1, step))]
    parts = [_look(model, chunk) for chunk in chunks]
    if not parts:
        return Scores(np.zeros(0, np.float32))
    drawn = [part.drawn for part in parts if part.drawn is not None]
    return Scores(np.concatenate([part.logits for part in parts]), np.concatenate(drawn) if drawn else None)


def _look(model: CropScorer, images: NDArray[np.uint8]) -> Scores:
    if isinstance(model, OnnxModel):
        return model.look(images)
    return Scores(_checked(model.logits(images), model.card, len(images)))


def _outputs(card: Card) -> list[str]:
    return ["logit"] if card.drawn_at_least is None else ["logit", "drawn"]


def _checked(found: Logits, card: Card, count: int) -> Logits:
    """One finite logit a crop, whoever wrote the model."""
    found = np.asarray(found)
    if found.shape != (count,) or not np.isfinite(found).all():
        rule = f"model {card.name} must give {count} finite logits"
        raise ModelError(f"{rule}, got shape {found.shape}: {found}")
    return found.astype(np.float32)


def _open(card: Card, data: bytes, settings: ScoreSettings) -> OnnxModel:
    """On the device that was asked for, or, where it turns out not to work, on the processor."""
    choice = choose_device(settings.device)
    try:
        with _as_model_error(card):
            session = _session(data, choice.name, settings)
    except ModelError as error:
        if choice.name == "cpu":
            raise
        choice = Choice("cpu", f"device {choice.name} failed ({error}); running on cpu")
        with _as_model_error(card):
            session = ort.InferenceSession(data, _options(settings), providers=[CPU])
    if choice.name != "cpu" and DEVICES[choice.name].provider not in session.get_providers():
        choice = Choice("cpu", f"device {choice.name} does not work on this machine; running on cpu")
    return OnnxModel(card, session, choice)


def _session(data: bytes, name: str, settings: ScoreSettings) -> ort.InferenceSession:
    options = _options(settings)
    if DEVICES[name].provider in ort.get_available_providers():
        return ort.InferenceSession(data, options, providers=providers(name, settings))
    options.add_provider_for_devices(plugged(name), plug_options(settings))
    return ort.InferenceSession(data, options)  # the processor takes what that cannot do


def _options(settings: ScoreSettings) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors come as exceptions
    for pool in ("intra", "inter"):  # spinning threads would take the CPU from other workers
        options.add_session_config_entry(f"session.{pool}_op.allow_spinning", "0")
    return options


def _check_signature(card: Card, session: ort.InferenceSession) -> None:
    ends = [(end.name, end.type, list(end.shape)) for end in session.get_inputs() + session.get_outputs()]
    side = card.size_px
    axes = ("N", "T") if card.kind == "clip" else ("N",)
    free = len(axes)  # axes of any length, which come first
    outputs = _outputs(card)
    wanted = [("crops", "tensor(uint8)"), *((name, "tensor(float)") for name in outputs)]
    ok = (
        [(name, kind) for name, kind, _ in ends] == wanted
        and ends[0][2][free:] == [3, side, side]
        and all(len(shape) == free for _, _, shape in ends[1:])
        and not any(isinstance(length, int) for _, _, shape in ends for length in shape[:free])
    )
    if not ok:
        names, comma = ", ".join(axes), "," if free == 1 else ""
        given = " and ".join(outputs)
        rule = f"must take crops uint8 ({names}, 3, {side}, {side}) and give {given} float ({names}{comma})"
        raise ModelError(f"model {card.name} {rule}, got {ends}")


@contextmanager
def _as_model_error(card: Card) -> Iterator[None]:
    try:
        yield
    except _ORT_ERRORS as error:
        raise ModelError(f"model {card.name} cannot be run: {str(error).strip()[:300]}") from error
