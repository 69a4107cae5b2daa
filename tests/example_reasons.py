"""A reason of each code, with values like those of a scan."""

from unmask.reasons import because, gaps

NUMBERS = {"px": 12.25, "least_px": 28, "change": 0.0123, "confidence": 0.5, "least": 0.75}
REASONS = {
    "longest": "seldom",
    "why": "few_frames",
    "how": "too_long",
    "details": "kept",
    "damage": "incomplete_packet",
}
SEVERAL = {"said": ("says_fake", "says_real"), "turns": ("turns_real",)}
TEXTS = ("model", "text", "error", "file", "place", "signal", "distortion", "kind")


def example(code):
    """A reason of this code, with values like those of a scan."""
    values = {}
    for name in gaps(code):
        if name in REASONS:
            values[name] = example(REASONS[name])
        elif name in SEVERAL:
            values[name] = tuple(example(one) for one in SEVERAL[name])
        elif name in TEXTS:
            values[name] = f"<{name}>"
        else:
            values[name] = NUMBERS.get(name, 0.5 if name.startswith(("p_fake", "real", "fake")) else 3)
    return because(code, **values)
