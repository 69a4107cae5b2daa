"""Where ``unmask`` and ``python -m unmask`` begin; loads nothing before Ctrl-C is provided for."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it with a word instead of a traceback, also while it loads."""
    try:
        from unmask.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(130)
    finally:
        # Where Ctrl-C fell into an exec, as every dataclass has one, Python would end by the signal instead
        # of the exit code, although it was caught; the next exec makes it forget.
        exec("")


if __name__ == "__main__":
    main()
