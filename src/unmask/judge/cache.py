"""Where downloaded models lie: one folder a model, each there as a whole or not at all."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path

from unmask.errors import ModelError
from unmask.folders import cache_folder

NAME = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)
"""What a downloaded model may be called; a path has a dot or a slash."""
PUBLISHED = (
    "gend-clip-l14",
    "gend-dinov3-l",
    "gend-pe-l",
    "dfdc-b7",
    "meso4-df",
    "meso4-f2f",
    "mesoinception4-df",
    "mesoinception4-f2f",
)
"""What ``unmask model get`` gets; `unmask.lab.zoo.table` knows what each is."""


def model_folder(name: str) -> Path:
    """Where a downloaded model lies, or would.

    Raises:
        ModelError: The name is none.
    """
    if not NAME.fullmatch(name):
        raise ModelError(f"a downloaded model is called by small letters, digits and -, got {name!r}")
    return cache_folder() / "models" / name


def cached_card(name: str) -> Path:
    """The card of a downloaded model, whether or not it is there.

    Raises:
        ModelError: The name is none.
    """
    return model_folder(name) / f"{name}.json"


def why_not_here(name: str) -> str:
    """What to say of a name under which no model lies here: how to get it, or which names are like it.

    >>> why_not_here("meso4-df")
    'model meso4-df is not here yet: unmask model get meso4-df'
    >>> why_not_here("mesoinceptoin4-df")
    "unknown model 'mesoinceptoin4-df'; did you mean mesoinception4-df (unmask model get mesoinception4-df)?"
    """
    if name in PUBLISHED:
        return f"model {name} is not here yet: unmask model get {name}"
    spelt = name.lower().replace("_", "-")
    alike = [one for one in PUBLISHED if spelt and one.startswith(spelt)]
    alike = alike or get_close_matches(spelt, PUBLISHED, n=1)
    if not alike:
        return f"unknown model {name!r}; unmask model list says what there is"
    return f"unknown model {name!r}; did you mean {' or '.join(alike)} (unmask model get {alike[0]})?"
