"""Content credentials in words: what is intact, who vouches for it, and that their absence says nothing."""

from __future__ import annotations

from unmask.report.seen import Credentials
from unmask.report.words import Words
from unmask.shown import visible


def provenance(found: Credentials, words: Words) -> str:
    """One cell of text: first what holds, then what it does not mean.

    Args:
        found: What was read.
        words: In the reader's language.
    """
    if found.intact is None:
        known = words.has(f"c2pa_{found.state}")
        return words(f"c2pa_{found.state}") if known else words("c2pa_unreadable")
    none = words("file_none")
    says = words(
        "c2pa_says",
        generator=found.generator or "?",
        issuer=found.issuer or "?",
        actions=", ".join(found.actions) or none,
    )
    if not found.intact:
        told = words("c2pa_broken", problems=", ".join(found.problems) or none)
    else:
        told = words("c2pa_listed" if found.listed else "c2pa_unlisted", list=found.trust_list or "?")
    return visible(" ".join((told, says, words("c2pa_aside"))))
