"""The folder that an extraction fills; see `unmask.archive.store` for how it outlasts whatever happens.

crops/extract.json            what is extracted: settings, digest of the plan
crops/crops-00000.tar         shards, each there as a whole or not at all
crops/index.jsonl             every sample, for random access      } written last
crops/sha256.txt              the SHA-256 of each of these files   }
crops/manifest.jsonl          every video, with what came of it    }
crops/.unfinished/parts       videos of shards that are not full yet
crops/.unfinished/shards      commit files
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from unmask.archive.places import Folder, replacing
from unmask.archive.store import PARTS, Header, Store, json_line
from unmask.errors import DataError
from unmask.files import fingerprint
from unmask.lab.crops.shards import INDEX_NAME, TAR_END
from unmask.lab.crops.sums import SUMS_NAME, list_sums
from unmask.lab.extract.manifest import MANIFEST_NAME
from unmask.lab.extract.plan import Plan
from unmask.lab.extract.worker import UNREADABLE, make_record
from unmask.reasons import because

HEADER_NAME = "extract.json"


class CropStore(Store):
    """An extraction's folder, held by one run at a time; use it in a ``with`` block.

    Args:
        folder: Made if absent; one that holds another extraction is refused.
        plan: Of the extraction.

    Raises:
        DataError: The folder holds something else, another run works in it, or the disk is full.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        told = {"videos": len(plan), "settings": asdict(plan.settings)}
        header = Header(HEADER_NAME, "unmask extract", "an extraction of other videos", plan.digest, told)
        super().__init__(Folder(folder), header, plan.shards, last=MANIFEST_NAME)
        self.folder, self.plan = folder, plan

    def guide(self, number: int) -> dict[str, Any] | None:
        """The boxes of a video that is done and whose shard is not full yet; None where it has none."""
        with (self.folder / self._part(number)).open("rb") as file:
            guide: dict[str, Any] | None = json.loads(file.readline())["guide"]
        return guide

    def _known(self) -> Iterable[int]:
        return (number for number, video in enumerate(self.plan.videos) if video.problem)

    def _load_parts(self, names: Sequence[str]) -> set[int]:
        there = set()
        for name in names:
            number = int(name.removesuffix(".part"))
            if number not in self.done and _is_whole(self.place.read(f"{PARTS}/{name}")):
                there.add(number)
            else:
                self.place.remove(f"{PARTS}/{name}")
        return there

    def _stands(self, shard: int, commit: bytes) -> bool:
        size = json.loads(commit.partition(b"\n")[0])["bytes"]
        tar = self.folder / _tar_name(shard)
        if size and (not tar.is_file() or tar.stat().st_size != size):
            raise DataError(
                f"{tar} must have {size} bytes; it was changed or removed: begin in an empty folder"
            )
        return True

    def _join(self, shard: int) -> bytes:
        name = _tar_name(shard)
        index: list[bytes] = []
        manifest: list[bytes] = []
        size = 0
        with replacing(self.folder / name) as tar:
            for number in self._members[shard]:
                video = self.plan.videos[number]
                if video.problem:
                    record = make_record(video, UNREADABLE, because("unreadable", text=video.problem))
                else:
                    with (self.folder / self._part(number)).open("rb") as part:
                        head = json.loads(part.readline())
                        shutil.copyfileobj(part, tar, 2**20)
                    record = head["record"]
                    for text, spans in head["samples"]:
                        there = json.dumps([[start + size, length] for start, length in spans])
                        index.append(f'{text},"shard":"{name}","spans":{there}}}\n'.encode())
                    size += head["bytes"]
                record |= {"shard": name if record["crops"] else ""}
                manifest.append(json_line(record))
            tar.write(TAR_END)
        if not size:
            (self.folder / name).unlink()
        known: dict[str, Any] = {"bytes": size and size + len(TAR_END), "samples": len(index)}
        told = json_line(known | ({"sha256": fingerprint(self.folder / name)} if size else {}))
        return b"".join([told, *index, *manifest])

    def _conclude(self) -> None:
        index, manifest = self.folder / INDEX_NAME, self.folder / MANIFEST_NAME
        sums = {HEADER_NAME: fingerprint(self.folder / HEADER_NAME)}
        with replacing(manifest) as records:
            with replacing(index) as samples:
                for shard in range(len(self._members)):
                    with (self.folder / self._commit(shard)).open("rb") as lines:
                        told = json.loads(next(lines))
                        samples.writelines(islice(lines, told["samples"]))
                        records.writelines(lines)
                    if told["bytes"]:
                        sums[_tar_name(shard)] = told["sha256"]
            records.flush()
            sums |= {INDEX_NAME: fingerprint(index), MANIFEST_NAME: fingerprint(records.name)}
            self.place.write(SUMS_NAME, list_sums(sums).encode())


def _tar_name(shard: int) -> str:
    return f"crops-{shard:05d}.tar"


def _is_whole(part: bytes) -> bool:
    try:
        line, _, tar = part.partition(b"\n")
        head = json.loads(line)
        return bool(len(tar) == head["bytes"] and zlib.crc32(tar) == head["crc32"])
    except (ValueError, KeyError, TypeError):
        return False
