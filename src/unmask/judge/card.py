"""The card beside a model's weights: what they need, what they score, what they may be used for.

Inference reads crop size, margin, calibration and thresholds from here, so that crop and model cannot
drift apart. A card is a JSON file of exactly the fields of `Card`, which are checked by their types: one that
is not known may mean that the network wants something else. The weights lie beside it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from unmask.config import CROPS, CropSettings
from unmask.errors import ModelError, SettingsError
from unmask.judge.cache import NAME, cached_card, why_not_here
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.onnx_file import check_onnx
from unmask.judge.strict import of_type, read_json
from unmask.judge.verdict import PERSON_RULES
from unmask.quantities import ONLY_KNOWN, Kept, Needs, Number, Whole
from unmask.seals import add_seal, take_seal
from unmask.verdicts import ModelName

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT_MODEL = "clip-probe"
SHIPPED = {DEFAULT_MODEL: DEFAULT_MODEL, "fast": "quintet", "quintet": "quintet"}
"""What comes with the package, by the names it may be asked for."""
KINDS = ("frame", "clip")
MAX_CARD_BYTES = 1 << 20
MAX_WEIGHTS_BYTES = (1 << 31) - 1  # what one ONNX file can hold

Texts = Annotated[tuple[str, ...], Kept((("min_length", 1),))]


@dataclass(frozen=True, slots=True)
class Score:
    """One measured figure with its uncertainty.

    Attributes:
        value: The figure.
        low: Lower end of the 95 % interval.
        high: Upper end of it.
        clips: How many files it was measured on.
    """

    __pydantic_config__ = ONLY_KNOWN

    value: Number
    low: Number
    high: Number
    clips: Whole

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise SettingsError(f"must be low <= value <= high, got {self.low}, {self.value}, {self.high}")


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of one set of weights.

    Attributes:
        name: Short name, such as ``lite0``.
        version: Of the weights.
        file: Name of the ONNX file beside the card: input ``crops`` uint8 (N, 3, S, S) RGB, output
            ``logit`` float32 (N,). Normalisation is inside the graph.
        sha256: Of that file, 64 hex digits.
        size_px: S, side of a crop in pixels.
        margin_fraction: What is added to the box, or to the template's square, before cutting.
        detector: Name of the face detector whose boxes it was trained with.
        mean: Subtracted from RGB inside the graph; told here for people.
        std: What is divided by inside the graph; told here for people.
        person_rule: How frames become a person, one of `PERSON_RULES`.
        calibration: Logit of a person to probability.
        thresholds: Probability to word.
        licence: Of the weights.
        training_data: What they were trained on, one entry a source.
        terms: What they may be used for.
        recipe: Script or recipe that makes them again.
        commit: Version of the code that made them.
        scores: Measured figures by name.
        limits: What it cannot do, one sentence each.
        kind: ``frame`` judges crops one by one; ``clip`` all crops of a person together, input
            (N, T, 3, S, S), output (N, T). Cards without it are of the first kind.
        crop: ``box`` or ``aligned``, as in `CropSettings`. Cards without it take boxes.
        template: For ``aligned``, where the five points of a face come to lie, as in `CropSettings`.
        most_crops: A person is judged by no more crops than these in each stretch, evenly spaced; 0 sets no
            such limit. A large network is dear, and crops near each other say about the same.
        still_thresholds: The same for a single picture, of which there is no second look and which may be
            compressed far more than a frame of a video; None takes `thresholds`.
        drawn_at_least: A network that also has an output ``drawn`` (N,) takes a face for drawn, painted or
            rendered where its mean reaches this; None where it has none.
        common_px: As in `CropSettings`, for a network that learned from crops that were stored so.
    """

    __pydantic_config__ = ONLY_KNOWN

    name: str
    version: str
    file: str
    sha256: str
    size_px: Whole
    margin_fraction: Number
    detector: str
    mean: tuple[Number, Number, Number]
    std: tuple[Number, Number, Number]
    person_rule: str
    calibration: Annotated[Calibration, Needs(("temperature", "bias"))]
    thresholds: Thresholds
    licence: str
    training_data: Texts
    terms: str
    recipe: str
    commit: str
    scores: dict[str, Score]
    limits: Texts
    kind: str = KINDS[0]
    crop: str = CROPS[0]
    template: tuple[tuple[Number, Number], ...] = ()
    most_crops: Whole = 0
    drawn_at_least: Number | None = None
    still_thresholds: Thresholds | None = None
    common_px: Whole = 0

    def __post_init__(self) -> None:
        for name in ("name", "version", "detector", "licence", "terms", "recipe", "commit"):
            if not getattr(self, name).strip():
                raise SettingsError(f"{name} must not be empty")
        if not re.fullmatch(r"[\w-][\w.-]*\.onnx", self.file, re.ASCII):
            raise SettingsError(f"file must be the name of an .onnx file beside the card, got {self.file!r}")
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise SettingsError(f"sha256 must be 64 hex digits, got {self.sha256!r}")
        if self.person_rule not in PERSON_RULES:
            raise SettingsError(
                f"unknown person_rule {self.person_rule!r}; choose from: {', '.join(PERSON_RULES)}"
            )
        if self.kind not in KINDS:
            raise SettingsError(f"unknown kind {self.kind!r}; choose from: {', '.join(KINDS)}")
        if not all(value > 0 for value in self.std):
            raise SettingsError(f"std must be above 0, got {self.std}")
        if self.most_crops < 0:
            raise SettingsError(f"most_crops must be 0 or more, got {self.most_crops}")
        _ = self.crop_settings  # its ranges are the card's

    @property
    def crop_settings(self) -> CropSettings:
        """How faces are cut for this model."""
        return CropSettings(self.size_px, self.margin_fraction, self.crop, self.template, self.common_px)

    @property
    def model_name(self) -> ModelName:
        """What a verdict says of its model."""
        return ModelName(self.name, self.sha256)


def own_card(
    name: str,
    *,
    size_px: int,
    fake_at_least: float,
    real_at_most: float,
    margin_fraction: float = 0.3,
    kind: str = KINDS[0],
    calibration: Calibration | None = None,
    detector: str = "mtcnn",
    weights: bytes = b"",
) -> Card:
    """A card for a network of one's own that is handed to `load_scanner`; it says only what a scan needs.

    Args:
        name: What verdicts call the network.
        size_px: Side of the crops that it takes, in pixels.
        fake_at_least: ``p_fake`` from which it is called fake, 0 to 1.
        real_at_most: ``p_fake`` down to which it is called real, 0 to ``fake_at_least``.
        margin_fraction: Added around the box, as in `CropSettings`.
        kind: ``frame`` judges crops one by one, ``clip`` all of a person together.
        calibration: Logit to probability; None takes ``sigmoid(logit)``.
        detector: Whose boxes it was trained with.
        weights: Bytes whose SHA-256 verdicts name.

    Raises:
        SettingsError: A value is out of range.
    """
    unknown = "not told"
    return Card(
        name=name,
        version=unknown,
        file="own.onnx",
        sha256=hashlib.sha256(weights).hexdigest(),
        size_px=size_px,
        margin_fraction=margin_fraction,
        detector=detector,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        person_rule=PERSON_RULES[0],
        calibration=calibration or Calibration(),
        thresholds=Thresholds(fake_at_least, real_at_most),
        licence=unknown,
        training_data=(),
        terms=unknown,
        recipe=unknown,
        commit=unknown,
        scores={},
        limits=(),
        kind=kind,
    )


def card_path(model: str | Path | None = None) -> Path:
    """Where the card of a model lies.

    Args:
        model: None for the default, a card, weights that the card lies beside, or the name of a shipped or a
            downloaded model (``unmask model list``).

    Raises:
        ModelError: It is neither a ``.json`` nor an ``.onnx`` file, and no model of this name was downloaded.
    """
    if model is None:
        return WEIGHTS / f"{DEFAULT_MODEL}.json"
    path = Path(model)
    if path.suffix == ".onnx":
        return path.with_suffix(".json")
    if path.suffix == ".json":
        return path
    name = str(model)
    if NAME.fullmatch(name) and (card := cached_card(name)).is_file():
        return card
    if name in SHIPPED:
        return WEIGHTS / f"{SHIPPED[name]}.json"
    if re.fullmatch(r"[a-z0-9][\w-]*", name, re.ASCII | re.IGNORECASE):
        raise ModelError(why_not_here(name))
    rule = "a model is given by its card, a .json file, or by its weights beside it, got"
    raise ModelError(f"{rule} {path}; or by a name of unmask model list")


def read_card(path: str | Path) -> Card:
    """Read a card strictly: every field once, none unknown, right types, finite numbers, an unbroken seal.

    Cards that people write have no seal, and are taken by what they say.

    Raises:
        ModelError: The file is missing, too long, not JSON, breaks a rule, or was changed after its seal.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ModelError(f"{path}: a card must be at most {MAX_CARD_BYTES} bytes")
        text = path.read_bytes().decode()
        values = read_json(text)
        take_seal(values, text)
        return of_type(Card, values, "card")
    except OSError as error:
        raise ModelError(f"{path}: no readable model card ({error.strerror})") from error
    except SettingsError as error:
        raise ModelError(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path}: not a JSON card ({error})") from error


def write_card(card: Card, path: str | Path) -> None:
    """Write a card, sealed, so that `read_card` gives it back."""
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False, allow_nan=False)
    Path(path).write_bytes(add_seal(text).encode())


def read_weights(card: Card, folder: str | Path) -> bytes:
    """The bytes of a card's weights, checked before anything interprets them.

    The checked bytes themselves go to the runtime, so the file cannot change in between.

    Args:
        card: Names the file and its SHA-256.
        folder: Where the card lies.

    Raises:
        ModelError: The file is missing or too large, its SHA-256 differs, or it asks for what `check_onnx`
            refuses.
    """
    path = Path(folder) / card.file
    try:
        if path.stat().st_size > MAX_WEIGHTS_BYTES:
            raise ModelError(f"{path}: weights must be at most {MAX_WEIGHTS_BYTES} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: no readable weights ({error.strerror})") from error
    found = hashlib.sha256(data).hexdigest()
    if found != card.sha256:
        raise ModelError(f"{path}: SHA-256 must be {card.sha256} as on the card, got {found}")
    try:
        check_onnx(data)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    return data
