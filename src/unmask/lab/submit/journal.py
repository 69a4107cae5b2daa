"""What is known already, so that a submission that was killed goes on where it stood."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from unmask.errors import DataError
from unmask.files import write_whole
from unmask.lab.submit.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one video.

    Attributes:
        name: Of the file.
        size_bytes: Of the file, so that another file of the same name is not taken for it.
        outcome: One of `unmask.types.Outcome`.
        p_fake: Probability that is not yet clipped, or None where there is no number.
        reason: One sentence.
        frames: How many were asked for.
        seconds: Wall time in the child process.
    """

    name: str
    size_bytes: int
    outcome: str
    p_fake: float | None
    reason: str
    frames: int
    seconds: float


class Journal:
    """Answers on disk, one line each, written as they come.

    Args:
        path: The file; it need not be there.
        head: What the answers depend on, such as the model; a journal of something else is refused.
    """

    def __init__(self, path: Path, head: dict[str, str]) -> None:
        self.path = path
        self._head = head

    def read(self, wanted: Iterable[Wanted]) -> dict[str, Finding]:
        """The answers about these files as they are now, by name.

        A last line that was cut short by a kill is passed over.

        Raises:
            DataError: The journal is of something else, or no journal.
        """
        if not self.path.exists():
            return {}
        way_out = "remove it, or begin anew with --restart"
        try:
            lines = self.path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
        except OSError as error:
            raise DataError(f"{self.path} cannot be read ({error.strerror}); {way_out}") from error
        try:
            whole = [json.loads(line) for line in lines[:-1]]  # what follows the last break was cut short
            head, answers = whole[0] if whole else self._head, [Finding(**row) for row in whole[1:]]
        except (ValueError, TypeError) as error:
            raise DataError(f"{self.path} is no journal of a submission ({error}); {way_out}") from error
        if head != self._head:
            raise DataError(f"{self.path} must be of the same model, {self._head}, is of {head}; {way_out}")
        sizes = {one.name: one.size_bytes for one in wanted}
        return {one.name: one for one in answers if sizes.get(one.name) == one.size_bytes}

    def start(self, answers: Iterable[Finding]) -> None:
        """Write a clean journal of what is known, and make room for more.

        Raises:
            OSError: It cannot be written.
        """
        lines = [json.dumps(self._head), *(json.dumps(asdict(one)) for one in answers)]
        write_whole(self.path, "".join(f"{line}\n" for line in lines))

    def add(self, answer: Finding) -> None:
        """Write one more answer, at once."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(answer)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def remove(self) -> None:
        """Forget everything."""
        self.path.unlink(missing_ok=True)
