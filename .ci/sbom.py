"""Writes the bill of materials (SBOM) of an install in CycloneDX's JSON: packages and the weights that ship.

    pip install cyclonedx-bom
    python .ci/sbom.py ENVIRONMENT/bin/python sbom.json

Of each package it has version, licence and where it is from, of each binary that unmask ships the SHA-256,
the licence and the origin that its card tells. Before it is written, CycloneDX's schema is held against it.
"""

import json
import subprocess
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

from shipped import binaries  # noqa: E402  it lies there

VERSION = SchemaVersion.V1_6


def bill(python: str) -> str:
    """The bill of materials of an environment.

    Args:
        python: Its interpreter.

    Raises:
        ValueError: The schema does not hold.
    """
    command = [str(Path(sys.executable).with_name("cyclonedx-py")), "environment", "--output-reproducible"]
    command += ["--spec-version", VERSION.to_version(), "--of", "JSON", "--mc-type", "application"]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "-o", "-", python]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    told["components"] += [
        {
            "type": "machine-learning-model",
            "bom-ref": f"unmask/{one.path}",
            "name": one.path,
            "description": one.origin,
            "hashes": [{"alg": "SHA-256", "content": one.sha256}],
            "licenses": [{"license": {"id": one.licence}}],
        }
        for one in binaries()
    ]
    text = json.dumps(told, indent=1, sort_keys=True) + "\n"
    problem = JsonStrictValidator(VERSION).validate_str(text)
    if problem is not None:
        raise ValueError(f"no bill of CycloneDX {VERSION.to_version()}: {problem}")
    return text


if __name__ == "__main__":
    environment, target = sys.argv[1:]
    Path(target).write_text(bill(environment), encoding="utf-8")
