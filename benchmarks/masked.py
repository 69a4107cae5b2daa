"""Copies of onnxruntime and FFmpeg that take this processor for an older one, and run at its full speed.

Both ask the processor what it can (CPUID) and choose their kernels by that. In the copies each such question
is an instruction that is none (UD2, of the same two bytes), and a library that is loaded first answers in its
place. OpenCV, numpy and OpenBLAS have variables for it. Needs gcc and objdump.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from importlib import util
from pathlib import Path

_CPUID, _UD2 = b"\x0f\xa2", b"\x0f\x0b"
_ASKING = ("onnxruntime/capi/onnxruntime_pybind11_state*.so", "av.libs/libavutil*.so*")
OLDER = {
    "AVX2": {
        "OPENCV_CPU_DISABLE": "AVX512-SKX",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL",
        "OPENBLAS_CORETYPE": "Haswell",
    },
    "SSE4.2": {
        "OPENCV_CPU_DISABLE": "AVX,FP16,AVX2,AVX512-SKX",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
}
"""By the newest instructions that the older processor has: the variables for the other libraries."""


def copy_masked(folder: Path) -> None:
    """Make the copies.

    Args:
        folder: For them, empty; 200 MB.
    """
    for name in ("onnxruntime", "av"):
        found = util.find_spec(name)
        assert found is not None and found.origin is not None
        package = Path(found.origin).parent
        shutil.copytree(package, folder / name)
        if (libraries := package.with_name(f"{name}.libs")).is_dir():
            shutil.copytree(libraries, folder / libraries.name)
    for library in (file for pattern in _ASKING for file in folder.glob(pattern)):
        print(f"{library.name} asks in {_mask(library)} places", flush=True)


def variables(folder: Path, newest: str) -> dict[str, str]:
    """With what Python takes this processor for an older one.

    Args:
        folder: Of the copies.
        newest: Key of `OLDER`.
    """
    mask, source = folder / f"{newest}.so", Path(__file__).with_name("masked.c")
    options = ["-DNO_AVX"] if newest == "SSE4.2" else []
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", *options, "-o", str(mask), str(source)], check=True)
    paths = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return {**OLDER[newest], "LD_PRELOAD": str(mask), "PYTHONPATH": paths}


def _mask(library: Path) -> int:
    told = subprocess.run(["objdump", "-d", str(library)], stdout=subprocess.PIPE, text=True, check=True)
    places = re.findall(r"^\s*([0-9a-f]+):\s+0f a2\s+cpuid", told.stdout, re.MULTILINE)
    data = bytearray(library.read_bytes())
    segments = _segments(data)
    for place in (int(one, 16) for one in places):
        at = next(place - start + offset for offset, start, size in segments if start <= place < start + size)
        assert data[at : at + 2] == _CPUID
        data[at : at + 2] = _UD2
    library.write_bytes(data)
    return len(places)


def _segments(data: bytes) -> list[tuple[int, int, int]]:
    """Of what an ELF file loads: offset in the file, address, size in the file."""
    (start,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    heads = [struct.unpack_from("<IIQQQQ", data, start + size * number) for number in range(count)]
    return [(offset, address, length) for kind, _, offset, address, _, length in heads if kind == 1]
