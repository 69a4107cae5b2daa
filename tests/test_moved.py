"""Names that modules had work on, say what they are now, and cost nothing where nobody uses them."""

import importlib
import pickle
import subprocess
import sys
from importlib import import_module

import pytest

from unmask.moved import MOVED

NAMED = [  # by documents and examples of earlier versions
    "unmask.crops",
    "unmask.crops.batches",
    "unmask.crops.order",
    "unmask.crops.stream",
    "unmask.datasets.video_index",
    "unmask.evaluate.metrics",
    "unmask.forge.swap",
    "unmask.report.players",
    "unmask.report.scan",
    "unmask.report.side_by_side",
]


@pytest.fixture(autouse=True)
def forgotten():
    """Old names as nobody has imported them yet."""

    def forget():
        for name in [name for name in sys.modules if any(f"{name}.".startswith(f"{old}.") for old in MOVED)]:
            del sys.modules[name]

    forget()
    yield
    forget()


@pytest.mark.parametrize("name", NAMED)
def test_a_module_by_its_old_name_is_the_same_module_and_the_new_name_is_told(name):
    old = next(old for old in MOVED if f"{name}.".startswith(f"{old}."))
    new = MOVED[old] + name.removeprefix(old)
    with pytest.warns(DeprecationWarning, match=f"^{old} is {MOVED[old]} now") as told:
        found = import_module(name)
    assert found is import_module(new) and found.__name__ == found.__spec__.name == new
    assert {one.filename for one in told} <= {__file__, importlib.__file__}


def test_whoever_imports_by_an_old_name_is_warned_once_at_that_line(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import unmask\nfrom unmask.crops.order import draw_order\nprint(draw_order.__module__)\n"
    )
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert found.stdout == "unmask.lab.crops.order\n"
    assert found.stderr.count("DeprecationWarning") == 1
    assert "script.py:2: DeprecationWarning: unmask.crops is unmask.lab.crops now" in found.stderr


def test_what_was_pickled_under_an_old_name_can_be_read():
    from unmask.lab.crops.order import draw_order

    with pytest.warns(DeprecationWarning, match="unmask.crops is"):
        assert pickle.loads(b"cunmask.crops.order\ndraw_order\n.") is draw_order


def test_what_never_was_there_is_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"unmask\.cropped"):
        import_module("unmask.cropped")
    with (
        pytest.warns(DeprecationWarning, match="unmask.crops is"),
        pytest.raises(ModuleNotFoundError, match=r"unmask\.lab\.crops\.nothing"),
    ):
        import_module("unmask.crops.nothing")


def test_old_names_load_nothing_of_the_laboratory_until_they_are_used():
    code = "import sys, unmask, unmask.cli; print([n for n in sys.modules if n.startswith('unmask.lab')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
