"""The published detectors that ``unmask model get`` knows."""

from __future__ import annotations

from unmask.errors import SettingsError
from unmask.judge.cache import why_not_here
from unmask.lab.zoo.dfdc import DFDC_B7
from unmask.lab.zoo.entry import Entry
from unmask.lab.zoo.gend import GEND_CLIP_L14, GEND_DINOV3_L, GEND_PE_L
from unmask.lab.zoo.meso import MESO

ZOO: dict[str, Entry] = {
    entry.name: entry for entry in (GEND_CLIP_L14, GEND_DINOV3_L, GEND_PE_L, DFDC_B7, *MESO)
}


def find_entry(name: str) -> Entry:
    """An entry of the table.

    Raises:
        SettingsError: There is none of this name.
    """
    if name not in ZOO:
        raise SettingsError(why_not_here(name))
    return ZOO[name]
