"""Choose a detector's settings by trial on a face bench: how good against how dear.

Trials are kept in an SQLite file, so that an interrupted run goes on where it stood. The first trial is the
settings that are shipped.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmask.config import DetectSettings, ScanSettings
from unmask.errors import MissingExtraError, SettingsError
from unmask.faces.settings_file import write_detector_file
from unmask.files import write_whole
from unmask.lab.facebench.bench import Bench
from unmask.lab.facebench.count import (
    FaceCounts,
    count_faces,
    load_clips,
    mean_score,
    overall,
    precision_recall,
)
from unmask.types import Clip

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

_STUDY = "faces"
_DEARER = 1.1  # the chosen trial costs at most this many times what the shipped settings do
CURVE_COLUMNS = ("condition", "settings", "threshold", "precision", "recall")


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a tuning run chose.

    Attributes:
        settings: Of the chosen trial.
        score: Its mean score over conditions, 0 to 1.
        cost_ms: Its CPU milliseconds a frame.
        before: Score and cost of the shipped settings.
        trials: How many have been made in all.
    """

    settings: ScanSettings
    score: float
    cost_ms: float
    before: tuple[float, float]
    trials: int


def tune_faces(
    bench: Bench,
    study_file: Path,
    *,
    trials: int,
    detector: str = "mtcnn",
    on_trial: Callable[[int, int], None] = lambda done, total: None,
) -> Tuned:
    """Make trials until there are as many as asked for, and choose.

    Args:
        bench: Its half ``tune``.
        study_file: SQLite file; trials that it holds count.
        trials: How many in all.
        detector: A name in `unmask.faces.detect.DETECTORS`.
        on_trial: Told how many of how many are done.

    Returns:
        The trial with the best score of those that cost at most a tenth more than the shipped settings.

    Raises:
        SettingsError: ``trials`` is below 1, or the file holds trials on another bench or detector.
        MissingExtraError: Optuna is not installed.
    """
    if trials < 1:
        raise SettingsError(f"trials must be 1 or more, got {trials}")
    shipped = ScanSettings(detect=DetectSettings(detector=detector))
    study = open_study(study_file, bench, detector)
    if not study.trials:
        study.enqueue_trial(_as_parameters(shipped))
    clips = load_clips(bench)
    done = len(_complete(study))
    on_trial(done, trials)
    while done < trials:
        study.optimize(lambda trial: _try(trial, bench, clips, shipped), n_trials=1)
        done = len(_complete(study))
        on_trial(done, trials)
    first = _complete(study)[0]
    affordable = [t for t in _complete(study) if t.values[1] <= _DEARER * first.values[1]]
    best = max(affordable, key=lambda t: (t.values[0], -t.values[1]))
    return Tuned(
        settings=_settings(best.params, shipped),
        score=best.values[0],
        cost_ms=best.values[1],
        before=(first.values[0], first.values[1]),
        trials=done,
    )


def open_study(file: Path, bench: Bench, detector: str) -> Study:
    """The trials made so far; an empty study when there are none.

    Raises:
        SettingsError: They were made on another bench or detector, or the file is no study.
        MissingExtraError: Optuna is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingExtraError("optuna", extra="tune") from error
    from sqlalchemy.exc import DatabaseError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    about = {"detector": detector, "items": len(bench.items), "first": bench.items[0].file}
    sampler = optuna.samplers.TPESampler(seed=0, n_startup_trials=12, multivariate=True)
    try:
        study = optuna.create_study(
            study_name=_STUDY,
            storage=f"sqlite:///{file.resolve()}",
            directions=["maximize", "minimize"],
            sampler=sampler,
            load_if_exists=True,
        )
    except DatabaseError as error:
        raise SettingsError(f"{file} is no study of Optuna; name another file with --study") from error
    known = study.user_attrs.get("about", about)
    if known != about:
        raise SettingsError(
            f"{file} holds trials of {known}, not of {about}; name another file with --study, or delete it"
        )
    study.set_user_attr("about", about)
    return study


def write_tuned(tuned: Tuned, bench: Bench, study: Study, output: Path) -> dict[str, list[Any]]:
    """Write the settings, the Pareto front and the precision-recall points, each as a whole.

    Args:
        tuned: What was chosen.
        bench: On which.
        study: With all trials.
        output: The TOML file; ``.pareto.csv`` and ``.curves.csv`` come beside it.

    Returns:
        Curves by condition: settings' name and its points, for a plot.
    """
    comment = (
        f"Chosen by unmask tune of {tuned.trials} trials on {len(bench.items)} items of a face bench.\n"
        f"Mean score {tuned.score:.4f} at {tuned.cost_ms:.1f} CPU ms a frame; the settings shipped then: "
        f"{tuned.before[0]:.4f} at {tuned.before[1]:.1f}."
    )
    write_detector_file(output, tuned.settings.detect, tuned.settings.track, comment=comment)
    names = sorted({name for trial in study.best_trials for name in trial.params})
    rows: list[list[Any]] = [["trial", "score", "cpu_ms_a_frame", *names]]
    for trial in sorted(study.best_trials, key=lambda t: t.values[1]):
        rows.append(
            [trial.number, *(round(v, 4) for v in trial.values), *(trial.params.get(n, "") for n in names)]
        )
    write_whole(output.with_suffix(".pareto.csv"), _csv(rows))
    clips = load_clips(bench)
    shipped = ScanSettings(detect=DetectSettings(detector=tuned.settings.detect.detector))
    curves: dict[str, list[Any]] = {}
    points: list[list[Any]] = [list(CURVE_COLUMNS)]
    for name, settings in (("shipped", shipped), ("tuned", tuned.settings)):
        for condition, counts in _by_condition(count_faces(bench, clips, settings)).items():
            curve = precision_recall(counts)
            curves.setdefault(condition, []).append((name, curve))
            points += [[condition, name, *(round(v, 4) for v in point)] for point in curve]
    write_whole(output.with_suffix(".curves.csv"), _csv(points))
    return curves


def _by_condition(found: Mapping[tuple[str, float], FaceCounts]) -> dict[str, FaceCounts]:
    names = dict.fromkeys(condition for condition, _ in found)
    groups = {name: overall(one for (c, _), one in found.items() if c == name) for name in names}
    return {name: counts for name, counts in groups.items() if counts.people}


def _complete(study: Study) -> list[FrozenTrial]:
    from optuna.trial import TrialState

    return study.get_trials(states=(TrialState.COMPLETE,))


def _try(trial: Trial, bench: Bench, clips: Mapping[str, Clip], shipped: ScanSettings) -> tuple[float, float]:
    trial.suggest_float("p_threshold", 0.5, 0.8, step=0.05)
    trial.suggest_float("r_threshold", 0.5, 0.9, step=0.05)
    trial.suggest_float("o_threshold", 0.5, 0.95, step=0.05)
    trial.suggest_float("pyramid_factor", 0.6, 0.8, step=0.001)
    trial.suggest_int("min_face_px", 16, 40, step=4)
    trial.suggest_float("min_face_fraction", 0.02, 0.06, step=0.0001)
    longest = max(max(item.width, item.height) for item in bench.items)
    if longest > shipped.detect.max_side_px:  # or smaller frames would teach to shrink large ones
        trial.suggest_categorical("max_side_px", [640, 800, 960, 1280])
    trial.suggest_float("max_overlap", 0.5, 0.8, step=0.05)
    trial.suggest_categorical("dark_below", [0.0, 30.0, 50.0, 80.0])
    trial.suggest_categorical("search_every", [3, 5, 8])
    trial.suggest_float("min_confidence", 0.7, 0.98, step=0.02)
    trial.suggest_int("track_min_face_px", 8, 32, step=4)
    trial.suggest_float("still_change", 0.04, 0.065, step=0.005)
    settings = _settings(trial.params, shipped)
    # Bench clips that show nothing but pictures are there to be told apart, not to be judged by them.
    settings = replace(settings, track=replace(settings.track, policy="moving"))
    found = count_faces(bench, clips, settings)
    whole = overall(found.values())
    return mean_score(found), 1000 * whole.cpu_seconds / whole.frames


def _settings(chosen: Mapping[str, Any], base: ScanSettings) -> ScanSettings:
    p, r, o = (round(chosen[f"{net}_threshold"], 3) for net in "pro")
    detect = replace(
        base.detect,
        thresholds=(p, r, o),
        **{name: _plain(chosen[name]) for name in _DETECT if name in chosen},
    )
    track = replace(
        base.track,
        min_face_px=float(chosen["track_min_face_px"]),
        **{name: _plain(chosen[name]) for name in _TRACK},
    )
    return replace(base, detect=detect, track=track)


_DETECT = (
    "pyramid_factor",
    "min_face_px",
    "min_face_fraction",
    "max_side_px",
    "max_overlap",
    "dark_below",
    "search_every",
)
_TRACK = ("min_confidence", "still_change")


def _as_parameters(settings: ScanSettings) -> dict[str, Any]:
    detect, track = settings.detect, settings.track
    thresholds = {f"{net}_threshold": t for net, t in zip("pro", detect.thresholds, strict=True)}
    return (
        thresholds
        | {name: getattr(detect, name) for name in _DETECT}
        | {name: getattr(track, name) for name in _TRACK}
        | {"track_min_face_px": int(track.min_face_px)}
    )


def _plain(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _csv(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
