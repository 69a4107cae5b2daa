"""Writes which versions an install takes, with the SHA-256 of each of their files, or checks it.

    pip install uv
    python .ci/lock.py              after a change of pyproject.toml; versions that fit stay
    python .ci/lock.py --upgrade    everything to the newest version that fits
    python .ci/lock.py --check      write nothing; exit code 1 where a file would change

``pip install --require-hashes -r locks/default.txt`` then installs those files and no others. They hold for
Linux, macOS and Windows and for every supported Python, and say nothing of where they are downloaded from.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "locks"
LOWEST_PYTHON = "3.11"
EXTRAS = {"default": [], "web": ["web"]}
"""By the file's name, the extras that it holds."""
BUILD = "build"
"""The name of the file that holds what builds the wheel."""
COMMAND = "python .ci/lock.py"


def main() -> None:
    """Write or check all of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--upgrade", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = FOLDER
        if options.check:
            place = Path(folder) / "locks"
            shutil.copytree(FOLDER, place)
        place.mkdir(exist_ok=True)
        for name in (*EXTRAS, BUILD):
            lock(name, place / f"{name}.txt", upgrade=options.upgrade)
        changed = [file.name for file in place.iterdir() if differs(file, FOLDER / file.name)]
    if changed:
        sys.exit(f"not what pyproject.toml asks for: {', '.join(changed)} in locks/; run {COMMAND}")


def lock(name: str, target: Path, *, upgrade: bool) -> None:
    """Let uv choose versions; those that stand in the file stay where they fit."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = list(table["build-system"]["requires"])
    if name != BUILD:
        project = table["project"]
        wanted = [*project["dependencies"]]
        wanted += [one for extra in EXTRAS[name] for one in project["optional-dependencies"][extra]]
    command = [uv(), "pip", "compile", "-", "--quiet", "--universal", "--generate-hashes", "--no-header"]
    command += ["--no-emit-index-url", "--no-annotate", "--python-version", LOWEST_PYTHON, "-o", str(target)]
    command += ["--upgrade"] if upgrade else []
    done = subprocess.run(command, cwd=ROOT, text=True, input="\n".join(wanted), check=False)
    if done.returncode:
        sys.exit(f"{name}: uv ended with {done.returncode}")


def uv() -> str:
    """The program, beside this Python or on the path."""
    found = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if found is None:
        sys.exit("uv is not installed; pip install uv")
    return found


def differs(one: Path, other: Path) -> bool:
    """Whether they hold something else."""
    return not other.is_file() or one.read_bytes() != other.read_bytes()


if __name__ == "__main__":
    main()
