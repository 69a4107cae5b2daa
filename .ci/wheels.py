"""Installs the wheel on every supported Python of this machine and scans the examples with it.

    python3 .ci/wheels.py FOLDER

With the newest versions that pip finds on each of them; on the first also with the lowest that
pyproject.toml admits, and on the last with those of locks/, by their hashes. With the lowest, and on the
last with the newest, a part of the tests runs on what was installed. FOLDER receives the wheel, the
environments and the bill of materials. The wheel is built again from the source distribution, which must
hold what git tracks and nothing else, and must be the same bytes.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

from lowest import PROJECT, lowest_versions

ROOT = PROJECT.parent
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
PART = (
    "tests/judge/test_card.py",
    "tests/judge/test_score.py",
    "tests/judge/test_shipped_model.py",
    "tests/judge/test_verdict.py",
    "tests/lab/evaluate/test_metrics.py",
    "tests/video/test_picture.py",
    "tests/video/test_reading.py",
    "tests/video/test_still.py",
)
"""Tests that meet every library of the default install and none that needs torch."""
EXTRAS = ("data", "tune", "c2pa")
TOOLS = ("pytest", "hypothesis", "onnx")
"""What these tests need beside the default install."""


def main() -> None:
    """Try every combination; the first that fails ends it."""
    folder = Path(sys.argv[1]).absolute()
    table = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    there = {version: found for version in SUPPORTED if (found := find_python(version))}
    absent = [version for version in SUPPORTED if version not in there]
    say(f"Python here: {', '.join(there) or 'none'}; not here: {', '.join(absent) or 'none'}")
    if not there:
        raise SystemExit(f"at least one of Python {', '.join(SUPPORTED)} must be on this machine")
    wheel = build(ROOT, folder)
    check_same_bytes(wheel, unpack_source(folder), folder / "again")
    constraints = folder / "lowest.txt"
    constraints.write_text(
        "".join(f"{name}=={version}\n" for name, version in lowest_versions(table).items())
    )
    first, last = min(there), max(there)  # all have two digits
    for version, python in there.items():
        unmask = install(python, folder / f"newest-{version}", wheel, tested=version == last)
        check_scan(unmask, f"Python {version}, newest versions")
        if version == last:
            test(unmask)
    unmask = install(there[first], folder / f"lowest-{first}", wheel, "-c", str(constraints), tested=True)
    check_scan(unmask, f"Python {first}, lowest versions")
    test(unmask, "-W", "default")  # what old versions deprecated of others is not ours
    check_locks(there[last], folder, wheel)


def build(source: Path, folder: Path) -> Path:
    """Make the wheel."""
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source))
    (wheel,) = folder.glob("unmask-*.whl")
    return wheel


def unpack_source(folder: Path) -> Path:
    """Make the source distribution with the locked tools, look at what is in it, and unpack it."""
    home = folder / "hatch"
    run(sys.executable, "-m", "venv", str(home))
    pip = str(home / "bin" / "pip")
    run(pip, "install", "--quiet", "--require-hashes", "-r", str(ROOT / "locks" / "build.txt"))
    run(str(home / "bin" / "hatchling"), "build", "-t", "sdist", "-d", str(folder))
    (packed,) = folder.glob("unmask-*.tar.gz")
    top = packed.name.removesuffix(".tar.gz")
    with tarfile.open(packed) as tar:
        held = {name.removeprefix(f"{top}/") for name in tar.getnames()}
    run("tar", "-xzf", str(packed), "-C", str(folder))
    if (ROOT / ".git").exists():
        tracked = set(run("git", "ls-files", "-z").split("\0")) - {""} | {"PKG-INFO"}
        if held != tracked:
            raise SystemExit(
                f"{packed.name} must hold what git tracks, differs in {sorted(held ^ tracked)[:20]}"
            )
    say(f"{packed.name}: {len(held)} files, {packed.stat().st_size / 1e6:.1f} MB")
    return folder / top


def check_same_bytes(wheel: Path, source: Path, folder: Path) -> None:
    """Made again elsewhere, from files with other times and rights, the wheel must be the same."""
    for file in source.rglob("*"):
        os.utime(file, (1e9, 1e9))
        if file.is_file():
            file.chmod(0o600)
    again = build(source, folder)
    if again.read_bytes() != wheel.read_bytes():
        raise SystemExit(f"the same source must give the same wheel, and {wheel} and {again} differ")
    say("the wheel is the same bytes when it is built again, from the source distribution")


def check_locks(python: str, folder: Path, wheel: Path) -> None:
    """Install what locks/ names, by its hashes, scan with it, and write what it is made of."""
    tools, home = folder / "tools", folder / "locked"
    run(python, "-m", "venv", str(tools))
    run(str(tools / "bin" / "pip"), "install", "--quiet", "uv", "cyclonedx-bom")
    own = str(tools / "bin" / "python")
    run(own, ".ci/lock.py", "--check")
    run(python, "-m", "venv", str(home))
    pip = str(home / "bin" / "pip")
    run(pip, "install", "--quiet", "--require-hashes", "-r", str(ROOT / "locks" / "default.txt"))
    run(pip, "install", "--quiet", "--no-deps", str(wheel))
    check_scan(home / "bin" / "unmask", "versions of locks/default.txt")
    told = json.loads(run(str(home / "bin" / "unmask"), "doctor", "--json"))  # with the examples of the wheel
    say(f"doctor: {', '.join(told['scans'])} as they should be")
    run(own, ".ci/sbom.py", str(home / "bin" / "python"), str(folder / "sbom.json"))
    say(f"bill of materials: {(folder / 'sbom.json').stat().st_size} bytes of CycloneDX")


def find_python(version: str) -> str | None:
    """An interpreter on the path or under pyenv that really runs, or None."""
    homes = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for found in (shutil.which(f"python{version}"), *map(str, homes)):
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found
    return None


def install(python: str, home: Path, wheel: Path, *given: str, tested: bool) -> Path:
    """A new environment with the wheel, and with what the tests need where they are run; its ``unmask``."""
    run(python, "-m", "venv", str(home))
    extras = f"[{','.join(EXTRAS)}]" if tested else ""
    more = TOOLS if tested else ()
    run(str(home / "bin" / "pip"), "install", "--quiet", f"{wheel}{extras}", *more, *given)
    return home / "bin" / "unmask"


def check_scan(unmask: Path, where: str) -> None:
    """Every example must get a verdict with a number."""
    lines = run(str(unmask), "scan", "--json", str(ROOT / "examples")).splitlines()
    verdicts = [json.loads(line) for line in lines]
    media = sorted((ROOT / "examples").glob("*.mp4"))
    if len(verdicts) != len(media) or any(verdict["p_fake"] is None for verdict in verdicts):
        raise SystemExit(f"{where}: {len(media)} examples must get a number each, got {lines}")
    told = ", ".join(f"{Path(v['path']).name} {v['outcome']} {v['p_fake']:.2f}" for v in verdicts)
    say(f"{where}: {told}")


def test(unmask: Path, *given: str) -> None:
    """A part of the tests, on what was installed and not on the sources beside them."""
    python = unmask.with_name("python")
    # What the checkout's tests were told (how many processes share them) needs plug-ins that are not here.
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    command = [python, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", *given, *PART]
    subprocess.run(command, cwd=ROOT, env=env, check=True)


def run(*command: str) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout


def say(text: str) -> None:
    """A line for whoever reads the log."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
