"""Joins the parts of a server: what is remembered, what waits, what works, and who is told."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from unmask.batch import judge_seen
from unmask.judge.card import card_path, read_card
from unmask.judge.conclude import About
from unmask.judge.limits import limits_for
from unmask.judge.verdict import unreadable
from unmask.reasons import Reason
from unmask.verdicts import Outcome, Verdict
from unmask.web.background import in_thread
from unmask.web.events import Hub
from unmask.web.examining import settings_of
from unmask.web.incoming import Incoming
from unmask.web.metrics import Metrics
from unmask.web.progress import Progress
from unmask.web.queue import Job, QueueFullError, ScanQueue
from unmask.web.refusals import RefusedError
from unmask.web.reports import Reports
from unmask.web.settings import ServeSettings
from unmask.web.slot import Slot
from unmask.web.store import FINISHED, Row, Store
from unmask.web.views import Scan, as_news, view
from unmask.web.worker import Glance, Portraits, load_scans
from unmask.work.pool import Failure
from unmask.work.processes import Processes

SWEEP_EVERY_SECONDS = 60.0
_log = logging.getLogger(__name__)


class Site:
    """A server without its routes; the `Watcher` of its slots.

    Args:
        settings: What it may do.

    Raises:
        ModelError: There is no such model.
        DataError: Another server uses the folder.
        OSError: The folder cannot be written to.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self.settings = settings
        self.card = read_card(card_path(settings.scan.model))
        self.store = Store(settings.folder)
        self.store.recover()
        self.queue = ScanQueue(settings.work.queue)
        self.incoming = Incoming()
        self.hub = Hub()
        self.metrics = Metrics()
        self.reports = Reports(self.store, settings.scan, settings.work, trust_list=settings.trust_list)
        self._progress: dict[str, Progress] = {}
        self._began: dict[str, float] = {}
        self._ready: set[Slot] = set()
        self._closing = threading.Event()
        work = settings.work
        load = partial(load_scans, settings.scan)
        crew = Processes(load, work.jobs, work.time_limit_seconds, limits_for(settings.scan, work.limits))
        self._slots = [Slot(self.queue, crew, self, self._note_ready) for _ in range(work.jobs)]
        self._sweeper = threading.Thread(target=self._sweep_often, name="retention", daemon=True)
        self.metrics.watch("queue_length", "Scans that wait.", lambda: len(self.queue))
        self.metrics.watch("scans_running", "Scans that run.", lambda: self.queue.running)
        self.metrics.watch("workers_ready", "Workers with networks.", lambda: len(self._ready))
        self.metrics.watch("listeners", "Open event streams.", lambda: len(self.hub))

    def open(self) -> None:
        """Start the workers, and the retention."""
        for slot in self._slots:
            slot.start()
        self._sweeper.start()

    def close(self) -> None:
        """Stop at once; what was not finished is told to be interrupted when the folder is used again."""
        self._closing.set()
        self.hub.close()
        self.queue.close()
        for slot in self._slots:
            slot.join(10)
        self._sweeper.join(10)
        self.store.close()

    @property
    def condition(self) -> str:
        """``ready``, ``loading`` until a worker has its networks, or ``failed`` when none could load them."""
        if self._ready:
            return "ready"
        return "failed" if all(slot.trouble for slot in self._slots) else "loading"

    @asynccontextmanager
    async def new_scan(
        self, name: str, path: Path | None = None, *, examined: str | None = None
    ) -> AsyncIterator[Row]:
        """Remember a scan whose file comes in within the block; it is forgotten if that fails.

        Raises:
            RefusedError: Too many wait.
        """
        key = uuid.uuid4().hex
        source = None if path is None else str(path)
        row = Row(key, name, source, 0, None, time.time(), "uploading", None, None, "", examined)
        try:
            with self.queue.place():
                try:
                    await in_thread(self.store.add, row)
                    yield row
                except BaseException:  # also when the client goes away
                    await in_thread(self._abandon, key)
                    raise
        except QueueFullError as error:
            raise RefusedError("queue_full", str(error)) from error

    def _abandon(self, key: str) -> None:
        self.queue.cancel(key, timeout_seconds=0)
        self._drop(key)
        self.store.delete(key)

    def enqueue(self, row: Row, *, size: int, sha256: str | None) -> Scan:
        """Let a scan wait for its turn, now that its file is there."""
        self._progress[row.id] = Progress()
        self.store.change(row.id, bytes=size, sha256=sha256, state="queued")
        settings = None if row.examined is None else settings_of(row, self.settings.scan)
        self.queue.put(row.id, str(self.store.source_of(row)), settings)
        return self._publish(row.id)

    def row(self, key: str) -> Row:
        """What is remembered of a scan.

        Raises:
            RefusedError: There is none.
        """
        found = self.store.get(key)
        if found is None:
            raise RefusedError("not_found", f"there is no scan {key[:32]!r}; it may have been deleted")
        return found

    def view(self, row: Row) -> Scan:
        """What the API tells of a scan."""
        has_picture = row.state == "done" and self.store.portrait(row.id).is_file()
        return view(row, self._progress.get(row.id), has_picture=has_picture)

    def delete(self, key: str) -> None:
        """Stop a scan if it runs or comes in, and forget all of it.

        Raises:
            RefusedError: There is none, or it cannot be stopped just now.
        """
        row = self.row(key)
        if not (self.incoming.end(key) and self.queue.cancel(key)):
            raise RefusedError("busy", "the scan cannot be stopped just now; try again")
        if row.state not in FINISHED:
            self.metrics.scans.labels("cancelled").inc()
        self._forget(key)

    def sweep(self) -> None:
        """Forget finished scans that are older than the retention time."""
        for key in self.store.older_than(self.settings.retention_hours * 3600):
            self._forget(key)

    def began(self, job: Job) -> None:
        """A worker begins with a scan."""
        self._began[job.key] = time.monotonic()
        self.store.change(job.key, state="running")

    def heard(self, job: Job, part: Any) -> None:
        """A worker told something of a scan."""
        if isinstance(part, Portraits):
            self.store.keep_portraits(job.key, part.jpegs, part.brightness)
            return
        progress = self._progress[job.key]
        if isinstance(part, Glance):
            self.metrics.first_seconds.observe(time.monotonic() - self._began[job.key])
        before = (progress.state, progress.share, progress.partial)
        progress.hear(part, self.card, job.settings or self.settings.scan)
        if before != (progress.state, progress.share, progress.partial):
            self._publish(job.key)

    def ended(self, job: Job, answer: Verdict | Failure) -> None:
        """A scan is over."""
        progress = self._progress[job.key]
        state = "done"
        if isinstance(answer, Failure):
            about = About(job.path, answer.note, stopped=answer.reason, ours=answer.ours)
            answer = judge_seen(progress.looks, about, job.settings or self.settings.scan)
            state = "failed" if answer.outcome.has_failed else "done"
        self.metrics.scan_seconds.observe(time.monotonic() - self._began[job.key])
        self._finish(job, answer, state)

    def broke(self, job: Job, why: Reason) -> None:
        """A scan ends since unmask itself failed on it; what was seen is not trusted with a verdict."""
        self._finish(job, unreadable(job.path, why, self.card.model_name, ours=True), "failed")

    def _finish(self, job: Job, verdict: Verdict, state: str) -> None:
        self.store.finish(job.key, verdict, state=state)
        crashed = state == "failed" and verdict.outcome is Outcome.UNREADABLE
        self.metrics.scans.labels(state if crashed else verdict.outcome.value).inc()
        self._publish(job.key)
        self._drop(job.key)

    def _note_ready(self, slot: Slot, ready: bool) -> None:
        (self._ready.add if ready else self._ready.discard)(slot)

    def _publish(self, key: str) -> Scan:
        scan = self.view(self.row(key))
        self.hub.publish(key, as_news(scan))
        return scan

    def _drop(self, key: str) -> None:
        self._progress.pop(key, None)
        self._began.pop(key, None)

    def _forget(self, key: str) -> None:
        self._drop(key)
        self.store.delete(key)
        self.hub.publish(key, {"id": key, "state": "deleted"})

    def _sweep_often(self) -> None:
        while True:
            try:
                self.sweep()
            except OSError as error:  # as on a full disk; the next round may do better
                _log.warning("old scans could not be deleted: %s", error)
            if self._closing.wait(SWEEP_EVERY_SECONDS):
                return
