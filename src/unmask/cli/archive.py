"""``unmask scan SOURCE -o OUT``: a whole archive, a record for each file, going on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import typer

from unmask.cli.running import GROWTH, duration_words, stopping_on_errors
from unmask.errors import SettingsError, require

if TYPE_CHECKING:
    from unmask.archive.engines import CrewSettings
    from unmask.archive.forecast import Forecast
    from unmask.archive.opening import ArchiveSettings
    from unmask.archive.records import RecordStore
    from unmask.config import BatchSettings, ScanSettings
    from unmask.reasons import Reason

EXIT_PENDING = 1
REPORTS = "reports"
MOST_NAMED = 5
_TELL_EVERY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Way:
    """How an archive is gone through; of no effect on what is said of a file.

    Attributes:
        engine: ``local`` or ``ray``.
        address: Of a Ray cluster.
        shard: Which part this run does, as typed, or None.
        files_per_shard: How many records share a file.
        retry_failed: Do again what is unreadable or an error.
        report_top: How many of the most suspicious files get a report.
        plan: Only say what it will cost.
        price: Of a core an hour.
        watch: Wait for files that arrive.
    """

    engine: str = "local"
    address: str | None = None
    shard: str | None = None
    files_per_shard: int = 1000
    retry_failed: bool = False
    report_top: int = 20
    plan: bool = False
    price: float | None = None
    watch: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a scan of an archive was asked for.

    Attributes:
        sources: What to scan.
        output: Where the records go; None where only costs are asked for.
        settings: Of every file.
        batch: Workers and time limit.
        way: How it is gone through.
        as_json: Print the summary as JSON.
        language: Of reports.
        command: What repeats the scan, for reports.
    """

    sources: list[str]
    output: str | None
    settings: ScanSettings
    batch: BatchSettings
    way: Way
    as_json: bool
    language: str
    command: str


def refuse_beside(given: Mapping[str, object]) -> None:
    """Options that say something else of what comes out.

    Raises:
        SettingsError: One is given.
    """
    for name, value in given.items():
        if value is not None:
            raise SettingsError(f"{name} does not go with a whole archive, whose records are in -o OUT")


def refuse_alone(way: Way) -> None:
    """Options that mean nothing where no records are kept.

    Raises:
        SettingsError: One is given.
    """
    given = [item.name for item in fields(way) if getattr(way, item.name) != item.default]
    if given:
        name = {"files_per_shard": "shard-files"}.get(given[0], given[0])
        raise SettingsError(f"--{name.replace('_', '-')} is for whole archives: say with -o OUT where to")


def scan_archive(wanted: Wanted) -> None:
    """Run it; ends with an exit code where not every file has its record."""
    with stopping_on_errors("the same command goes on from here"):
        way = wanted.way
        require(0 <= way.report_top <= 100, "--report-top must be 0 to 100", way.report_top)
        if way.plan:
            _plan(wanted)
            return
        if wanted.output is None:
            raise SettingsError("--watch must be told where the records go: -o OUT")
        if way.retry_failed and (way.shard is not None or way.watch):
            raise SettingsError("--retry-failed goes with neither --shard nor --watch: one run has all")
        if way.watch:
            _watch(wanted, wanted.output)
        else:
            _scan(wanted, wanted.output)


def _scan(wanted: Wanted, output: str) -> None:
    import os

    from unmask.archive.opening import judging_crew, open_store
    from unmask.archive.scanning import scan_files
    from unmask.archive.shares import WHOLE, read_share

    way, settings = wanted.way, _settings(wanted)
    share = WHOLE if way.shard is None else read_share(way.shard, os.environ)
    crew_settings = _crew_settings(wanted)
    with open_store(wanted.sources, output, settings, share=share) as store:
        crew = judging_crew(settings, crew_settings, files=store.plan.files)
        if way.retry_failed:
            again = store.retry_failed()
            typer.echo(f"{again} files that failed are tried again", err=True)
            if again:  # others may be the most suspicious ones then
                store.place.remove_folder(REPORTS)
        with _progress(sum(1 for _ in store.mine), len(store.done)) as on_done:
            pending = scan_files(store, crew, on_done=on_done)
        _tell(store, pending, as_json=wanted.as_json)
        if store.complete and way.report_top:
            from unmask.cli.archive_reports import write_top_reports

            write_top_reports(store, wanted)
    if pending:
        raise typer.Exit(EXIT_PENDING)


def _plan(wanted: Wanted) -> None:
    from unmask.archive.forecast import forecast
    from unmask.archive.opening import judging_crew, list_plan

    settings = _settings(wanted)
    made = list_plan(wanted.sources, settings)
    found = forecast(made, judging_crew(settings, _crew_settings(wanted), files=made.files))
    _tell_forecast(found, wanted.way.price, as_json=wanted.as_json)


def _tell_forecast(found: Forecast, price: float | None, *, as_json: bool) -> None:
    hours = {str(workers): round(found.hours(workers), 6) for workers in GROWTH}
    cost = None if price is None else found.hours(1) * price
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps(asdict(found) | {"hours_on_workers": hours, "cost": cost}))
        return
    from unmask.files import size_words

    error = found.worker_error_seconds / 3600
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(found.outcomes.items()))
    failed = f", {found.failed} failed" if found.failed else ""
    wall = "   ".join(f"{workers}: {duration_words(float(h))}" for workers, h in hours.items())
    told = "give --price, what a core costs an hour" if cost is None else f"{cost:.2f}, at {price:g} an hour"
    typer.echo(
        f"files        {found.files}, of which {found.skipped} cannot be read; {size_words(found.bytes)}\n"
        f"hours        {found.hours(1):.3g} of one core, give or take {error:.2g}\n"
        f"CPU hours    {found.cpu_seconds / 3600:.3g}\n"
        f"on workers   {wall}\n"
        f"cost         {told}\n"
        f"from         {found.sampled} files that were judged for this ({outcomes}{failed})"
    )


def _watch(wanted: Wanted, output: str) -> None:
    import json
    from collections import Counter
    from pathlib import Path

    from unmask.archive.opening import judging_crew, open_store
    from unmask.archive.scanning import scan_files
    from unmask.archive.watching import Earlier, Inbox, watch_place

    if len(wanted.sources) != 1 or wanted.way.shard is not None or "://" in output:
        raise SettingsError("--watch takes one PATH, a folder as -o OUT, and no --shard")
    settings = _settings(wanted)
    crew_settings = _crew_settings(wanted)

    def scan(store: RecordStore, earlier: Earlier) -> None:
        scan_files(
            store, judging_crew(settings, crew_settings, files=store.plan.files), earlier=earlier.record
        )

    batches = watch_place(
        Inbox(wanted.sources[0]),
        Path(output),
        open_batch=lambda place, files: open_store(wanted.sources, place, settings, files=files),
        scan=scan,
        files_per_batch=settings.files_per_shard,
    )
    for records in batches:
        if wanted.as_json:
            for record in records:
                typer.echo(json.dumps(record))
        else:
            counts = Counter(record["outcome"] for record in records)
            typer.echo(", ".join(f"{count} {name}" for name, count in sorted(counts.items())))


def _settings(wanted: Wanted) -> ArchiveSettings:
    from unmask.archive.opening import ArchiveSettings

    return ArchiveSettings(wanted.settings, wanted.way.files_per_shard)


def _crew_settings(wanted: Wanted) -> CrewSettings:
    from unmask.archive.engines import CrewSettings

    batch, way = wanted.batch, wanted.way
    return CrewSettings(way.engine, batch.jobs, batch.time_limit_seconds, way.address, batch.limits)


def _tell(store: RecordStore, pending: dict[int, Reason], *, as_json: bool) -> None:
    import json

    from unmask.archive.records import SUMMARY_NAME

    files = store.plan.files
    if store.complete:
        summary = json.loads(store.place.read(SUMMARY_NAME))
        if as_json:
            typer.echo(json.dumps({"complete": True, "pending": 0} | summary))
        else:
            typer.echo(_words(summary, str(store.place)))
        return
    own = sum(1 for _ in store.mine)
    if as_json:
        told = {"complete": False, "files": len(files), "own": own, "done": len(store.done)}
        reasons = {files[number].inner: str(reason) for number, reason in pending.items()}
        typer.echo(json.dumps(told | {"pending": len(pending), "reasons": reasons}))
        return
    typer.echo(f"{len(store.done)} of {own} files are done in {store.place}")
    for number, reason in list(pending.items())[:MOST_NAMED]:
        typer.echo(f"pending: {files[number].inner}: {reason}", err=True)
    if pending:
        typer.echo(
            f"the machine failed on {len(pending)} files, which says nothing of them; the same command does "
            "them again",
            err=True,
        )
    else:
        typer.echo("this share is done; the summary is written when all shares are")


def _words(summary: dict[str, Any], place: str) -> str:
    outcomes = ", ".join(f"{count} {name}" for name, count in summary["outcomes"].items() if count)
    same = f"; {summary['duplicates']} are the same as another" if summary["duplicates"] else ""
    lines = [f"{summary['files']} files: {outcomes}{same}; records in {place}"]
    lines += [f"  {one['p_fake']:.2f}  {one['name']}" for one in summary["suspicious"][:MOST_NAMED]]
    return "\n".join("".join(filter(str.isprintable, line)) for line in lines)


@contextmanager
def _progress(total: int, done: int) -> Iterator[Callable[[int], None]]:
    """Rate and time left: a bar on a terminal, elsewhere a line now and then."""
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=total, completed=done)
            yield lambda now: bar.update(task, completed=now)
        return
    start = told = time.monotonic()

    def tell(now: int) -> None:
        nonlocal told
        clock = time.monotonic()
        if clock - told >= _TELL_EVERY_SECONDS and now > done:
            told = clock
            rate = (now - done) / (clock - start)
            left = (total - now) / rate / 3600
            text = f"{now} of {total}, {rate * 3600:.0f} files an hour, {left:.1f} h left"
            console.print(text, markup=False, soft_wrap=True)

    yield tell
