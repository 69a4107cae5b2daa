import pytest

from command_line import run
from deck_project import make_project


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def deck(project):
    """All slides, by the command."""
    file = project.index.with_name("slides.html")
    assert run("present", *project.all, "-o", file, "--title", "The <b>end</b>") == 0
    return file
