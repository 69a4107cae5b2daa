from dataclasses import replace
from pathlib import Path

import pytest

from unmask.config import CropSettings
from unmask.errors import SettingsError
from unmask.files import read_toml
from unmask.lab.train.recipe import change_table, read_recipe, resolve_recipe

FOLDER = Path(__file__).parents[3] / "recipes"
LEVERS = sorted(FOLDER.glob("levers*.toml"))
RECIPES = sorted(set(FOLDER.rglob("*.toml")) - set(LEVERS))
GOOD = 'name = "r"\ncrops = "c"\n[pairs]\nsource_weights = {photos = 1.0}\n'


def write(folder, text):
    file = folder / "r.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_every_shipped_recipe_loads_and_says_how_to_run_it(file):
    assert read_recipe(file).name
    header = file.read_text().partition('name = "')[0]
    assert "unmask train" in header


def test_there_is_a_recipe_to_load():
    assert RECIPES and LEVERS


@pytest.mark.parametrize("file", LEVERS, ids=lambda file: file.stem)
def test_every_lever_changes_its_run(file):
    table = read_toml(file)
    levers = table.pop("levers")
    unchanged = resolve_recipe(table)
    assert all(resolve_recipe(change_table(table, changes)) != unchanged for changes in levers.values())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("[loop]\nstep = 3\n", r"\[loop\] has an unknown key 'step'; choose from: .*steps"),
        ("[loop]\nsteps = 0\n", "steps must be 1 or more, got 0"),
        ('[loop]\nsteps = "many"\n', r"\[loop\] steps must be a whole number, got 'many'"),
        ("[loop]\nsteps = 2.5\n", r"\[loop\] steps must be a whole number, got 2\.5"),
        ("[loop]\nlearning_rate = true\n", "learning_rate must be a number, got True"),
        ("[loop]\nbackbone = 3\n", "backbone must be a text, got 3"),
        ("[loop]\nfold_norms = 1\n", "fold_norms must be true or false, got 1"),
        ('[labelled]\nfolders = "abc"\n', "folders must be a list of texts, got 'abc'"),
        ("[labelled]\nfolders = [1]\n", r"folders must be a list of texts, got \[1\]"),
        ("[validation]\nmini = 'a'\n\n[clip]\nframes = 'b'\n", r"\[clip\] frames must be a whole number"),
        ("[loop]\nlearning_rate = nan\n", "learning_rate must be above 0"),
        ("[loop]\nwarmup_steps = -1\n", "warmup_steps must be 0 or more"),
        ('[loop]\nmixed_precision = "fp8"\n', "no or bf16"),
        ("[view]\nsize_px = 4\n", "size_px must be 8 to 2048"),
        ("loop = 3\n", "unknown key 'loop'|must be a table"),
        ("[validation]\nmini = 3\n", r"validation must be a table of paths, got \{'mini': 3\}"),
        ("[colour]\nx = 1\n", "unknown key 'colour'"),
    ],
)
def test_a_broken_recipe_is_named_with_rule_and_value(tmp_path, change, words):
    file = write(tmp_path, GOOD + change)
    with pytest.raises(SettingsError, match=words) as caught:
        read_recipe(file)
    assert str(caught.value).startswith(str(file))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = ", "no TOML"),
        ('crops = "c"\n[pairs]\nsource_weights = {a = 1.0}\n', "must have a key 'name'"),
        ('name = "r"\n[pairs]\nsource_weights = {a = 1.0}\n', "must have a key 'crops'"),
        (GOOD.replace("1.0", "-1.0"), "each of source_weights must be above 0"),
        (
            GOOD.replace("1.0", "'much'"),
            r"source_weights must be a table of numbers, got \{'photos': 'much'\}",
        ),
        (GOOD + "margin_fractions = [0.1]\n", r"margin_fractions must be a list of 2 numbers, got \[0\.1\]"),
        (GOOD.replace('"c"', "3"), "crops must be a path, got 3"),
        (GOOD + "size_px = 100\n", "multiples of 32, got 100"),
        (GOOD + 'forger = "plain"\n[clip]\nframes = 4\n', r"forger plain makes single frames"),
        (GOOD + "swap_share = 2.0\n", "swap_share must be 0 to 1"),
    ],
)
def test_a_recipe_without_what_it_needs_is_refused(tmp_path, text, words):
    with pytest.raises(SettingsError, match=words):
        read_recipe(write(tmp_path, text))


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        read_recipe(tmp_path / "none.toml")


def test_the_digest_tells_recipes_apart_but_not_their_length(tmp_path):
    digests = [
        read_recipe(write(tmp_path, GOOD + f"[loop]\n{line}\n")).digest()
        for line in ("steps = 2000", "steps = 3000", "seed = 1")
    ]
    assert digests[0] == digests[1] != digests[2]


def test_a_setting_at_its_default_does_not_change_the_digest(tmp_path):
    """So a run that was begun before a setting existed goes on."""
    digests = [
        read_recipe(write(tmp_path, GOOD + f"[loop]\n{line}\n")).digest()
        for line in ("", "rank_weight = 0.5", "rank_weight = 0.4")
    ]
    assert digests[0] == digests[1] != digests[2]


def test_training_has_no_aligned_crops(tmp_path):
    recipe = read_recipe(write(tmp_path, GOOD))
    template = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.4, 0.8), (0.6, 0.8))
    with pytest.raises(SettingsError, match=r"crop of \[view\] must be box"):
        replace(recipe, view=CropSettings(crop="aligned", template=template))
