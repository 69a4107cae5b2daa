"""An extraction on two Ray nodes of this machine, one of which is killed under way.

A file beside the crops says what happened. A process of its own: Ray reads its settings when it is imported,
and leaves threads behind.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
from functools import partial
from pathlib import Path


def two_nodes(name: str):
    """A cluster of two nodes with one core each, and the second of them; ``name`` is for its token."""
    token = Path(tempfile.mkdtemp()) / f"{name}.token"
    token.write_text(secrets.token_hex(16))
    token.chmod(0o600)
    os.environ |= {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # the loopback interface only
    }
    from ray.cluster_utils import Cluster

    small = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 80 * 2**20}
    for left in (2, 1, 0):  # a head gets half a minute to start, which is short on a busy machine
        try:
            cluster = Cluster(initialize_head=True, head_node_args=small | {"include_dashboard": False})
            break
        except Exception:
            if not left:
                raise
    return cluster, cluster.add_node(**small)


def main(index_file: str, output: str) -> None:
    cluster, node = two_nodes(Path(output).name)
    from unmask.archive.engines import CrewSettings, gather_crew
    from unmask.data import index
    from unmask.lab.extract.plan import ExtractSettings, make_plan, videos_of_index
    from unmask.lab.extract.run import extract
    from unmask.lab.extract.store import CropStore
    from unmask.lab.extract.worker import load_extractor

    settings = ExtractSettings(frames=6, videos_per_shard=4)
    plan = make_plan(videos_of_index(index(index_file)), settings)
    told: list[str] = []

    def kill_one(part) -> None:
        told.append(part.record["name"])
        if len(told) == 3:
            cluster.remove_node(node, allow_graceful=False)

    crew = gather_crew(partial(load_extractor, settings), CrewSettings(engine="ray", address=cluster.address))
    most, nodes = crew.size(), len(cluster.list_all_nodes())
    with CropStore(Path(output), plan) as store:
        extract(store, crew, on_done=kill_one)
    import ray

    told_of = {"done": told, "nodes": [nodes, len(cluster.list_all_nodes())], "workers": most}
    Path(output).with_suffix(".json").write_text(json.dumps(told_of))
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
