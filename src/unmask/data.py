"""What users import of data sets: their index, how it is read and written; made in `unmask.lab.datasets`.

>>> from unmask.data import index
>>> frame = index("dfdc_train_part_0")  # doctest: +SKIP
>>> frame.label.value_counts()  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unmask.lab.datasets.video_index import index, read_index_file, usable, write_index_file

__all__ = ["index", "read_index_file", "usable", "write_index_file"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("unmask.lab.datasets.video_index"), name)
    raise AttributeError(f"module 'unmask.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
