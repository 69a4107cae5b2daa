"""Where unmask keeps what is its own: downloaded models, what a server took in, details of its faults."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """``UNMASK_CACHE``, or ``unmask`` in the folder where this system keeps what can be downloaded again.

    Raises:
        RuntimeError: The user has no home.
    """
    if given := os.environ.get("UNMASK_CACHE"):
        return Path(given)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "unmask"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "unmask"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "unmask"
