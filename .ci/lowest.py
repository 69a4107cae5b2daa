"""Writes the lowest version of everything that pyproject.toml names, as constraints for pip.

python3 .ci/lowest.py > lowest.txt && pip install . -c lowest.txt
"""

import re
import sys
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:\[[^\]]*\])?(?:[>~=]=(?P<lowest>[\w.]+)(?:,<[\w.]+)?)?")


def lowest_versions(project: dict[str, Any]) -> dict[str, str]:
    """The lowest version that the dependencies and all extras admit, by package.

    Args:
        project: The table ``project`` of a pyproject.toml.

    Raises:
        ValueError: A requirement names no lowest version, or two name different ones.
    """
    found: dict[str, str] = {}
    for requirement in chain(project["dependencies"], *project["optional-dependencies"].values()):
        parts = _REQUIREMENT.fullmatch(requirement)
        if parts is not None and parts["name"] == project["name"]:
            continue  # An extra that is made of other extras.
        if parts is None or parts["lowest"] is None:
            raise ValueError(f"a requirement must name its lowest version (name>=1.2), got {requirement!r}")
        if found.setdefault(parts["name"], parts["lowest"]) != parts["lowest"]:
            known = found[parts["name"]]
            raise ValueError(f"a package must have one lowest version, got {known} and {requirement!r}")
    return found


if __name__ == "__main__":
    table = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    sys.stdout.write(
        "".join(f"{name}=={version}\n" for name, version in sorted(lowest_versions(table).items()))
    )
