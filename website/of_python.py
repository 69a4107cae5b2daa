"""The reference of ``import unmask``, from signatures and docstrings."""

from __future__ import annotations

import inspect
import re

import unmask
from prose import markdown
from unmask import data

HEAD = """# Python

Everything that `import unmask` offers, and `unmask.data` for data sets. How it fits together, with code
that runs: [From Python](../python.md).
"""
_GROUPS = {
    "Functions": lambda found: inspect.isfunction(found),
    "Settings": lambda found: inspect.isclass(found) and found.__name__.endswith("Settings"),
    "Errors": lambda found: inspect.isclass(found) and issubclass(found, Exception),
    "What they take and give": inspect.isclass,
}


def page() -> str:
    """The whole page."""
    left = {name: getattr(unmask, name) for name in unmask.__all__ if name != "__version__"}
    lines = [HEAD]
    for title, belongs in _GROUPS.items():
        mine = {name: left[name] for name in left if belongs(left[name])}
        left = {name: found for name, found in left.items() if name not in mine}
        lines += [f"## {title}", ""]
        for name, found in mine.items():
            lines += [*_told(f"unmask.{name}", found), ""]
    if left:
        raise TypeError(f"every public name must belong to a group, got {sorted(left)}")
    lines += ["## Data sets: unmask.data", "", "Needs the extra `data`.", ""]
    for name in sorted(data.__all__):
        lines += [*_told(f"unmask.data.{name}", getattr(data, name)), ""]
    return "\n".join(lines)


def _told(path: str, found: object) -> list[str]:
    lines = [f"### {path}", ""]
    if not (
        inspect.isclass(found) and (issubclass(found, Exception) or getattr(found, "_is_protocol", False))
    ):
        lines += ["```python", signature(path.rsplit(".", 1)[-1], found), "```", ""]
    lines += [markdown(inspect.getdoc(found) or "")]
    if inspect.isclass(found):
        for name, member in vars(found).items():
            member = getattr(member, "__func__", member)
            if name.startswith("_") or not (inspect.isfunction(member) or isinstance(member, property)):
                continue
            told = (inspect.getdoc(member) or "").partition("\n\n")[0].replace("\n", " ")
            call = "" if isinstance(member, property) else "()"
            lines += ["", f"- `.{name}{call}`: {markdown(told)}"]
    return lines


def signature(name: str, found: object) -> str:
    """A call with its types, one argument a line where it is long."""
    try:
        bound = inspect.signature(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return name
    text = re.sub(r"'([^']*)'", r"\1", str(bound)).replace("<factory>", "...")
    text = re.sub(r"<([\w.]+): [^>]*>", r"\1", text)
    if len(name + text) <= 100:
        return name + text
    given = re.sub(r"'([^']*)'", r"\1", ",\n    ".join(_parameters(bound))).replace("<factory>", "...")
    back = (
        ""
        if bound.return_annotation in (inspect.Signature.empty, None, "None")
        else f" -> {bound.return_annotation}"
    )
    return f"{name}(\n    {given},\n){back}"


def _parameters(bound: inspect.Signature) -> list[str]:
    lines, starred = [], False
    for one in bound.parameters.values():
        if one.kind is one.KEYWORD_ONLY and not starred:
            lines.append("*")
            starred = True
        lines.append(re.sub(r"<([\w.]+): [^>]*>", r"\1", str(one)))
    return lines
