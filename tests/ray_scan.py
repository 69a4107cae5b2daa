"""A scan on two Ray nodes of this machine, of which one is killed; then hostile files on what is left.

The files of the first are known by their bytes, so that no network need run; all else is as in any scan. The
last line says what happened. A process of its own: Ray reads its settings when it is imported, and leaves
threads behind.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from ray_cluster import two_nodes


def main(output: str, model: str, known: str, source: str, hostile: str) -> None:
    cluster, node = two_nodes(Path(output).name)
    from known_judge import load_known
    from limited_judge import LIMITS, load_as_judge, outcomes
    from unmask.archive import opening, run
    from unmask.archive.engines import CrewSettings
    from unmask.archive.opening import ArchiveSettings, judging_crew, open_store
    from unmask.archive.scanning import scan_files
    from unmask.config import ScanSettings

    opening.load_judge = partial(load_known, known)
    nodes = len(cluster.list_all_nodes())
    settings = ArchiveSettings(ScanSettings(model=model), files_per_shard=4)
    done: list[int] = []

    def kill_one(cluster, node, now: int) -> None:
        done.append(now)
        if len(done) == 3:
            cluster.remove_node(node, allow_graceful=False)

    given = CrewSettings(engine="ray", address=cluster.address, limits=LIMITS)
    with open_store([source], output, settings) as store:
        crew = judging_crew(settings, given, files=store.plan.files)
        most = crew.size()
        pending = scan_files(store, crew, on_done=partial(kill_one, cluster, node))
    opening.load_judge, run.MAX_TRIES = load_as_judge, 1
    with open_store([hostile], f"{hostile}.out", settings) as store:
        crew = judging_crew(settings, replace(given, workers=1), files=store.plan.files)
        pending |= scan_files(store, crew)
    import ray

    told = {"pending": len(pending), "nodes": [nodes, len(cluster.list_all_nodes())], "workers": most}
    sys.stdout.write(json.dumps(told | {"hostile": outcomes(Path(f"{hostile}.out"))}) + "\n")
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
