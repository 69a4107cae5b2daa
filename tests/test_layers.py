"""Guards on the shape of the package."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = (
    "av",
    "cv2",
    "numpy",
    "onnxruntime",
    "pandas",
    "ray",
    "scipy",
    "torch",
    "fastapi",
    "uvicorn",
    "starlette",
)


def test_data_flows_one_way():
    linter = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Contracts: 4 kept, 0 broken." in found.stdout, found.stdout + found.stderr
    assert found.returncode == 0


HELP = [
    [],
    ["scan"],
    ["serve"],
    ["model"],
    ["extract"],
    ["train"],
    ["evaluate"],
    ["calibrate"],
    ["submit"],
    ["data"],
    ["present"],
]
HELP += [["model", command] for command in ("list", "get", "check", "card")]
HELP += [["data", command] for command in ("index", "explore", "audit", "split")]


@pytest.mark.parametrize("arguments", [["--version"], *([*command, "--help"] for command in HELP)])
def test_help_loads_nothing_heavy(arguments):
    code = (
        "import json, sys\nfrom unmask.cli import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n    print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.partition(".")[0] for name in json.loads(found.stderr)}
    assert not loaded & set(HEAVY)
    assert found.stdout


def test_help_costs_little_more_than_the_library_that_prints_it():
    """Half a second where typer alone takes 0.19 s: a ratio holds on slow and on busy machines, too."""
    resource = pytest.importorskip("resource")

    def seconds(*arguments):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    tries = [(seconds("-m", "unmask", "--help"), seconds("-c", "import typer.rich_utils")) for _ in range(5)]
    ours, typers = map(min, zip(*tries, strict=True))
    assert ours < 2.6 * typers


def test_the_nouns_of_the_data_flow_mean_one_thing():
    """What files, faces, verdicts and tasks are called is called so nowhere else."""
    import ast

    common = ("types", "verdicts", "work/pool", "video/container", "judge/footage")
    named = {}
    for path in sorted((ROOT / "src" / "unmask").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else node
            name = target.name if isinstance(node, ast.ClassDef) else getattr(target, "id", "")
            if name[:1].isupper() and not name.isupper():
                named.setdefault(name, []).append(path)
    files = {ROOT / "src" / "unmask" / f"{name}.py" for name in common}
    twice = {name: paths for name, paths in named.items() if len(paths) > 1 and files & set(paths)}
    assert {"Task", "Look", "Face", "Source"} <= named.keys() and not twice


def test_no_file_and_no_function_grows_too_long():
    import ast

    long = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 400:
            long.append(f"{path.name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                if lines > 60:
                    long.append(f"{path.name}: {node.name} has {lines} lines")
    assert not long


def test_only_the_command_line_prints():
    import ast

    found = [
        f"{path.name}:{node.lineno}"
        for path in sorted((ROOT / "src").rglob("*.py"))
        if "cli" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not found
