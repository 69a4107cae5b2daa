"""Checkpoints on a disk that takes no more of them."""

import errno
import sys

import pytest

pytest.importorskip("torch")

import torch

from unmask.lab.train.checkpoint import FILE_NAME, load_checkpoint, save_checkpoint


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.parametrize("most_bytes", [1, 40_000, 79_000])
def test_one_that_cannot_be_written_says_so_and_leaves_the_one_before(tmp_path, most_bytes):
    import resource

    save_checkpoint(tmp_path, {"step": 1, "weights": torch.zeros(20_000)})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            save_checkpoint(tmp_path, {"step": 2, "weights": torch.ones(20_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG and caught.value.filename == str(tmp_path / FILE_NAME)
    assert load_checkpoint(tmp_path)["step"] == 1
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]
