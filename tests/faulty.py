"""A fault in unmask itself: reading one file raises what nobody expects, in this process's children."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

_SITE = """
import unmask.video

read = unmask.video.read_stretches

def read_stretches(film, *given):
    if film.source.path.name == {name!r}:
        raise TypeError("an argument that is none")
    return read(film, *given)

unmask.video.read_stretches = read_stretches
"""


@contextmanager
def fault_on(name, folder, monkeypatch):
    """Within the block child processes stumble over the file of this name."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_SITE.format(name=name))
    search = os.pathsep.join([str(folder), *filter(None, sys.path)])
    with monkeypatch.context() as patched:
        patched.setenv("PYTHONPATH", search)
        yield
