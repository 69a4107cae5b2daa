"""The HTML in which a mosaic's tiles play beside each other."""

from __future__ import annotations

from html import escape
from pathlib import Path

from unmask.files import size_words
from unmask.lab.pages.mosaic import GAIN, Mosaic
from unmask.report.document import data_url
from unmask.video.encoding import MAX_BYTES

STYLE = Path(__file__).with_name("player.css").read_text(encoding="utf-8")
SCRIPT = Path(__file__).with_name("player.js").read_text(encoding="utf-8")


def player(mosaic: Mosaic) -> str:
    """HTML of a mosaic's tiles with captions and one set of controls; `SCRIPT` and `STYLE` make it play."""
    width, height = mosaic.tile_size
    cells: dict[str, list[str]] = {}
    for tile in mosaic.tiles:
        caption = {"REAL": "real", "FAKE": "fake"}.get(tile.kind, "difference to the real one")
        extra = "" if tile.changed is None else f" · {tile.changed:.1%} of pixels".replace("%", " %")
        cells.setdefault(tile.name, []).append(
            f'<figure class="tile {tile.kind.lower()}"><canvas width="{width}" height="{height}" '
            f'data-x="{tile.place[0]}" data-y="{tile.place[1]}" role="img" '
            f'aria-label="{escape(tile.name)}, {caption}"></canvas>'
            f"<figcaption><b>{caption}</b> {escape(tile.name)}{extra}</figcaption></figure>"
        )
    groups = "".join(f'<div class="clip">{"".join(tiles)}</div>' for tiles in cells.values())
    size = f"{mosaic.seconds:.1f} s, shrunk to {width} x {height}, {size_words(len(mosaic.video))}"
    note = (
        f"{size} (at most {MAX_BYTES / 2**20:.0f} MiB). Differences are taken before it is encoded,"
        f" and shown {GAIN} times as strong."
    )
    if mosaic.left_out:
        reasons = "; ".join(f"{escape(name)}: {escape(why)}" for name, why in mosaic.left_out.items())
        note += f" Not shown: {reasons}."
    speeds = "<option>0.25</option><option>0.5</option><option selected>1</option>"
    controls = (
        '<button type="button">pause</button>'
        '<input type="range" min="0" max="1000" value="0" aria-label="position">'
        f"<label>speed <select>{speeds}</select></label><output>0.0 s</output>"
    )
    video = f'<video muted loop playsinline preload="auto" src="{data_url(mosaic.video)}"></video>'
    return (
        f'<div class="player">{video}<div class="clips">{groups}</div>'
        f'<div class="controls">{controls}</div><p><small>{note}</small></p></div>'
    )
