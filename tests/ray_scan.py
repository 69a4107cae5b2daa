"""A scan on two Ray nodes of this machine, one of which is killed under way.

The files are known by their bytes, so that no network need run; all else is as in any scan. The last line
says what happened. A process of its own: Ray reads its settings when it is imported, and leaves threads
behind.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

from ray_cluster import two_nodes


def main(output: str, model: str, known: str, *sources: str) -> None:
    cluster, node = two_nodes(Path(output).name)
    from known_judge import load_known
    from unmask.archive import opening
    from unmask.archive.engines import CrewSettings
    from unmask.archive.opening import ArchiveSettings, judging_crew, open_store
    from unmask.archive.scanning import scan_files
    from unmask.config import ScanSettings

    settings = ArchiveSettings(ScanSettings(model=model), files_per_shard=4)
    opening.load_judge = partial(load_known, known)
    nodes = len(cluster.list_all_nodes())
    done: list[int] = []

    def kill_one(cluster, node, now: int) -> None:
        done.append(now)
        if len(done) == 3:
            cluster.remove_node(node, allow_graceful=False)

    with open_store(sources, output, settings) as store:
        given = CrewSettings(engine="ray", address=cluster.address)
        crew = judging_crew(settings, given, files=store.plan.files)
        most = crew.size()
        pending = scan_files(store, crew, on_done=partial(kill_one, cluster, node))
    import ray

    told = {"pending": len(pending), "nodes": [nodes, len(cluster.list_all_nodes())], "workers": most}
    sys.stdout.write(json.dumps(told) + "\n")
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
