"""What is known already, so that a submission that was killed goes on where it stood."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from unmask.errors import DataError
from unmask.holding import drop, hold
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
    """Answers on disk, one line each, written as they come, by one run at a time; use it in a ``with`` block.

    Nothing but a line that was cut short is ever taken out of it: a kill at any moment costs no answer.

    Args:
        path: The file; it need not be there.
        head: What the answers depend on, such as the model; a journal of something else is refused.

    Raises:
        DataError: Another run writes to it.
        OSError: It cannot be written.
    """

    def __init__(self, path: Path, head: dict[str, str]) -> None:
        self.path = path
        self._head = head
        self._file = hold(path, place=path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file.seek(0, os.SEEK_END):
            self._file.close()
        else:
            drop(self._file, self.path)

    def read(self, wanted: Iterable[Wanted]) -> dict[str, Finding]:
        """The answers about these files as they are now, by name; of several the last.

        A last line that was cut short by a kill is taken out.

        Raises:
            DataError: The journal is of something else, or no journal.
        """
        way_out = "remove it, or begin anew with --restart"
        try:
            self._file.seek(0)
            data = self._file.read()
            self._file.truncate(data.rfind(b"\n") + 1)
            lines = data.decode(errors="surrogateescape").split("\n")
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

    def add(self, answer: Finding) -> None:
        """Write one more answer, at once, and before the first what all depend on.

        Raises:
            OSError: It cannot be written.
        """
        if not self._file.seek(0, os.SEEK_END):
            self._write(self._head)
        self._write(asdict(answer))

    def forget(self) -> None:
        """Forget everything; the file goes at the end of the block."""
        self._file.truncate(0)

    def _write(self, plain: dict[str, Any]) -> None:
        self._file.write(json.dumps(plain).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
