"""Attack `unmask serve` for minutes by 20 clients, a third of whom mean harm: does what it promises hold?

    python benchmarks/attack.py --minutes 10

The server is started as users start it, with a token, and is killed in the end (kill -9) and started again. A
third of the clients try what `hostile_clients.py` lists and know the token; the others look around, send a
picture, wait for its verdict and compare it with the one from before the attack. Figures go to
docs/attack.json; the exit code is 1 where a promise was broken. Only this machine is ever talked to.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2

from marks import marks, paragraph
from serve import BINARY, EXAMPLE, served

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from hostile_clients import ATTACKS, SLOW_SECONDS, Hostile, Target  # noqa: E402  it takes files from there

FIGURES = ROOT / "docs" / "attack.json"
ATTACKED = marks("attacked")
TOKEN = "correct-horse-battery-staple"
CLIENTS, HOSTILE = 20, 7
WARM_SHARE = 0.2
"""Of the time, after which memory may grow no more."""
MOST_GROWTH = 0.05
LATE_SECONDS = 15.0
"""By how much a slow connection may outlast its limit: clients look after them only now and then."""
LOOKS = ("/", "/api/scans?search=picture", "/api/limits", "/static/app.js", "/healthz", "/metrics")
PATIENCE_SECONDS = 600.0
Answer = tuple[int, Any]


@dataclass(slots=True)
class Friend:
    """A client as the server wants them.

    Attributes:
        port: Of the server.
        picture: What it sends.
        rng: Chooses what it does.
        answers: Statuses that it got.
        scans: Verdicts of its finished scans, by id.
        waiting: The scan whose verdict it waits for.
    """

    port: int
    picture: bytes
    rng: random.Random
    answers: Counter[int] = field(default_factory=Counter)
    scans: dict[str, Any] = field(default_factory=dict)
    waiting: str = ""

    def ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Status and body of an answer."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            link.request(method, path, body, {"Authorization": f"Bearer {TOKEN}", **(BINARY if body else {})})
            answer = link.getresponse()
            data = answer.read()
        finally:
            link.close()
        self.answers[answer.status] += 1
        is_json = answer.getheader("content-type", "").startswith("application/json")
        return answer.status, json.loads(data) if is_json else data

    def turn(self) -> None:
        """One request."""
        if self.waiting:
            status, scan = self.ask("GET", f"/api/scans/{self.waiting}")
            if status == 200 and scan["state"] in ("done", "failed"):
                self.scans[self.waiting], self.waiting = scan["verdict"], ""
        elif self.rng.random() < 0.1:
            self.send()
        else:
            self.ask("GET", self.rng.choice(LOOKS))
            if self.scans and self.rng.random() < 0.01:
                self.ask("GET", f"/api/scans/{self.rng.choice(list(self.scans))}/report?format=json")

    def send(self) -> None:
        """Send the picture."""
        status, scan = self.ask("POST", "/api/scans?name=picture.png", self.picture)
        if status == 201:
            self.waiting = scan["id"]

    def wait(self) -> None:
        """Wait for the verdict of what was sent, if anything was."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self.waiting:
            if time.monotonic() > until:
                raise SystemExit(f"a scan got no verdict in {PATIENCE_SECONDS:.0f} s: a slot was lost")
            self.turn()
            time.sleep(0.2)

    def verdict(self) -> Any:
        """The verdict of the picture, sent just now; without what differs between two scans."""
        while not self.waiting:  # others may wait, and fill the queue
            self.send()
        self.wait()
        return _told(list(self.scans.values())[-1])


@dataclass(frozen=True, slots=True)
class Process:
    """What a process holds just now."""

    megabytes: float
    descriptors: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Process:
        """Look at it."""
        told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        opened = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        return cls(int(told["VmRSS"].split()[0]) / 1024, opened, int(told["Threads"]))


@dataclass(slots=True)
class Attack:
    """All clients, and what the server held meanwhile."""

    friends: list[Friend]
    enemies: list[Hostile]
    held: list[Process] = field(default_factory=list)

    def run(self, pid: int, seconds: float, *, pause_seconds: float, watch_seconds: float) -> None:
        """Let all of them act for so long.

        Args:
            pid: Of the server.
            seconds: How long.
            pause_seconds: Of each client between two requests, on average.
            watch_seconds: How long slow connections are watched afterwards.
        """
        over = threading.Event()

        def act(client: Friend | Hostile) -> None:
            while not over.wait(client.rng.uniform(0.0, 2 * pause_seconds)):
                client.turn()
            if isinstance(client, Hostile):
                client.watch(watch_seconds)

        threads = [threading.Thread(target=act, args=(one,)) for one in (*self.friends, *self.enemies)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.held.append(Process.of(pid))
            time.sleep(min(1.0, seconds / 50))
        over.set()
        for thread in threads:
            thread.join()


def attack(seconds: float, *options: str, pause_seconds: float = 0.25, whole: bool = True) -> dict[str, Any]:
    """Attack a server, and give what was found.

    Args:
        seconds: How long.
        options: Of ``unmask serve``.
        pause_seconds: Of each client between two requests.
        whole: Whether slow connections are watched to their end, which takes a minute more.
    """
    mark = f"climbed-{os.urandom(6).hex()}"
    with tempfile.TemporaryDirectory() as base:
        place = Path(base)
        picture = _picture()
        with _server(place, *options) as (port, server):
            target = Target(port, TOKEN, EXAMPLE.read_bytes(), mark, 2 << 20)
            friends = [Friend(port, picture, random.Random(n)) for n in range(CLIENTS - HOSTILE)]
            enemies = [Hostile(target, random.Random(-n), 2 * n) for n in range(1, HOSTILE + 1)]
            before, outside = friends[0].verdict(), _files(place, "served", "tmp")
            found = Attack(friends, enemies)
            began = time.monotonic()
            watch = max(SLOW_SECONDS.values()) + LATE_SECONDS if whole else 0.0
            found.run(server.pid, seconds, pause_seconds=pause_seconds, watch_seconds=watch)
            took = time.monotonic() - began
            for one in friends:
                one.wait()
            after = friends[0].verdict()
            scans, lost = _kill(place, friends, server, options)
        return {
            "seconds": round(took, 1),
            "clients": CLIENTS,
            "hostile": len(enemies),
            "verdict_is_the_same_afterwards": before == after,
            "verdicts_that_differ": sum(_told(v) != before for f in friends for v in f.scans.values()),
            "finished_scans": scans,
            "lost_by_kill": lost,
            "written_outside": sorted(_files(place, "served", "tmp") - outside) + _marked(place, mark),
            "tracebacks": (place / "errors.txt").read_text(errors="replace").count("Traceback"),
            "slow_still_open": sum(len(one.slow) for one in enemies) if whole else None,
            **_figures(found),
        }


def _figures(found: Attack) -> dict[str, Any]:
    answers: dict[str, Counter[str]] = {}
    for one in found.enemies:
        for name, counts in one.answers.items():
            answers.setdefault(name, Counter()).update({_word(s): n for s, n in counts.items()})
    friendly: Counter[str] = Counter()
    for friend in found.friends:
        friendly.update({_word(status): n for status, n in friend.answers.items()})
    warm = found.held[int(len(found.held) * WARM_SHARE) :]
    few = max(1, len(warm) // 10)
    first, last = (sum(p.megabytes for p in part) / few for part in (warm[:few], warm[-few:]))
    kinds = {kind: [one.lasted[kind] for one in found.enemies if kind in one.lasted] for kind in SLOW_SECONDS}
    return {
        "friendly": dict(sorted(friendly.items())),
        "attacks": {name: dict(sorted(counts.items())) for name, counts in sorted(answers.items())},
        "slow_seconds": {kind: round(max(lasted), 1) for kind, lasted in kinds.items() if lasted},
        "memory_mb": {"warm": round(first, 1), "end": round(last, 1), "most": _most(warm, "megabytes")},
        "most_descriptors": _most(found.held, "descriptors"),
        "most_threads": _most(found.held, "threads"),
    }


def _most(held: list[Process], name: str) -> float:
    return round(max(getattr(one, name) for one in held), 1)


def _word(status: int | None) -> str:
    return "hung up" if status is None else str(status)


def broken(found: dict[str, Any]) -> list[str]:
    """The promises that did not hold, one sentence each."""
    said = []
    for status in found["friendly"]:
        if status not in ("200", "201", "503"):
            said.append(f"a friendly client got {status}")
    for name, counts in found["attacks"].items():
        allowed = {_word(status) for status in ATTACKS[name][1]} | {"503"}
        said += [f"{name}: {status}, {n} times" for status, n in counts.items() if status not in allowed]
    grown = found["memory_mb"]["end"] / found["memory_mb"]["warm"] - 1
    if grown > MOST_GROWTH:
        said.append(f"memory grew by {grown:.1%}")
    for kind, seconds in found["slow_seconds"].items():
        if seconds > SLOW_SECONDS[kind] + LATE_SECONDS:
            said.append(f"a slow {kind} was borne for {seconds} s")
    for name in ("written_outside", "tracebacks", "slow_still_open", "lost_by_kill", "verdicts_that_differ"):
        if found[name]:
            said.append(f"{name.replace('_', ' ')}: {found[name]}")
    if not found["verdict_is_the_same_afterwards"]:
        said.append("a scan after the attack has another verdict than before")
    return said


def markdown(found: dict[str, Any]) -> str:
    """What docs/reliability.md says of it."""
    answers: Counter[str] = Counter(found["friendly"])
    tries = sum(sum(counts.values()) for counts in found["attacks"].values())
    for counts in found["attacks"].values():
        answers.update(counts)
    memory, slow = found["memory_mb"], found["slow_seconds"]
    bad = sum(n for status, n in answers.items() if status.startswith("5") and status != "503")
    grown = memory["end"] / memory["warm"] - 1
    borne = " and ".join(f"{slow[kind]:.0f} s ({kind})" for kind in SLOW_SECONDS if kind in slow)
    told = paragraph(
        f"{found['clients']} clients, {found['hostile']} of them hostile, sent",
        f"{sum(answers.values()):,} requests in {found['seconds'] / 60:.0f} minutes; {tries:,} were",
        f"attacks. {bad or 'None'} got an error of the server's own making, and {answers['503']:,} were",
        f"put off with 503. The server's own process held {memory['warm']} MB after the first fifth and",
        f"{memory['end']} MB in the end ({grown:+.1%}), and {memory['most']} MB at most, with",
        f"{found['most_threads']:.0f} threads and {found['most_descriptors']:.0f} open files.",
        f"{found['finished_scans']} pictures of friendly clients were judged,",
        f"{_count(found['verdicts_that_differ'])} otherwise than before the attack. After it, the server was",
        "killed (`kill -9`) in the middle of scans and started again: of the finished ones it had lost",
        f"{_count(found['lost_by_kill'])}. Slow connections were borne for {borne} at most. Files written",
        f"outside of its folder: {_count(len(found['written_outside']))}.",
    )
    rows = [
        f"| {name} | {sum(counts.values())} | {_row(counts)} |" for name, counts in found["attacks"].items()
    ]
    return "\n".join([told, "| attack | tries | answers |", "|---|---:|---|", *rows])


def _row(counts: dict[str, int]) -> str:
    return ", ".join(f"{status}: {n}" for status, n in counts.items())


def _count(number: int) -> str:
    return str(number or "none")


@contextmanager
def _server(place: Path, *options: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A server all of whose folders lie in one place."""
    for name in ("home", "tmp", "work"):
        (place / name).mkdir(exist_ok=True)
    given = {"HOME": place / "home", "UNMASK_CACHE": place / "home" / "cache", "TMPDIR": place / "tmp"}
    environment = os.environ | {name: str(path) for name, path in given.items()} | {"UNMASK_TOKEN": TOKEN}
    with (
        (place / "errors.txt").open("a") as errors,
        served(
            place / "served",
            "--max-upload-mb",
            "2",
            *options,
            env=environment,
            cwd=place / "work",
            stderr=errors,
        ) as (address, server),
    ):
        yield int(address.rpartition(":")[2]), server


def _kill(
    place: Path, friends: list[Friend], server: subprocess.Popen[str], options: tuple[str, ...]
) -> tuple[int, int]:
    """Kill the server in the middle of scans; how many were finished, and how many of these are gone."""
    friend = friends[0]
    for one in friends[:5]:
        one.send()
    friend.wait()
    server.send_signal(signal.SIGKILL)
    server.wait()
    done = {key: verdict for one in friends for key, verdict in one.scans.items()}
    with _server(place, *options) as (port, _):
        friend.port = port
        kept = {key: friend.ask("GET", f"/api/scans/{key}")[1].get("verdict") for key in done}
    return len(done), sum(kept[key] != verdict for key, verdict in done.items())


def _told(verdict: Any) -> Any:
    """A verdict without what differs between two scans of the same file."""
    return {name: value for name, value in verdict.items() if name not in ("seconds", "path")}


def _picture() -> bytes:
    film = cv2.VideoCapture(str(EXAMPLE))
    read, image = film.read()
    assert read
    return cv2.imencode(".png", image)[1].tobytes()


def _files(place: Path, *but: str) -> set[str]:
    files = (path.relative_to(place) for path in place.rglob("*"))
    return {str(path) for path in files if path.parts[0] not in but}


def _marked(place: Path, mark: str) -> list[str]:
    """Files of a name that was to leave its folder, wherever it may have led."""
    above = [folder for parent in (place, *place.parents) for folder in parent.glob(f"*{mark}*")]
    return [str(path) for path in (*place.rglob(f"*{mark}*"), *above)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--model", default="fast", help="of the server; a small one leaves it more time")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", default=FIGURES)
    options = parser.parse_args()
    found = attack(options.minutes * 60, "--model", options.model)
    options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))
    if said := broken(found):
        print("\n".join(said), file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
