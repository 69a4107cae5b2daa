"""Run the command line in this process, as a test does it."""

from __future__ import annotations

import pytest

from unmask.cli import main


def run(*arguments):
    """Exit code of ``unmask ARGUMENTS``."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code or 0
