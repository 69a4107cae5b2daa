"""``unmask serve``: a page in the browser, and its REST API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli.device import DeviceOption, ModelsOption, score_settings
from unmask.cli.limits import MemoryOption, SandboxOption
from unmask.cli.running import stopping_on_errors
from unmask.cli.trust import TrustListOption, checked


def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Listen on this address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="Listen on this port; 0 takes a free one.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            envvar="UNMASK_TOKEN",
            show_envvar=True,
            help="What clients must know; needed where other machines reach the address. Others on this "
            "machine may see an option: the variable is safer.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name by which browsers may call the server; repeatable."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Uploads, reports and the list of scans (default: unmask's cache)."),
    ] = None,
    jobs: Annotated[
        int, typer.Option(metavar="N", help="Scans at a time, each in a worker that stays loaded.")
    ] = 1,
    queue: Annotated[int, typer.Option(metavar="N", help="Scans that may wait.")] = 20,
    max_upload_mb: Annotated[int, typer.Option(metavar="MB", help="Largest upload.")] = 2048,
    retention_hours: Annotated[
        float, typer.Option(metavar="H", help="Delete scans with their uploads after this time.")
    ] = 24.0,
    time_limit: Annotated[
        float, typer.Option(metavar="SECONDS", help="Give a file up after this time without anything new.")
    ] = 600.0,
    memory_mb: MemoryOption = None,
    sandbox: SandboxOption = "auto",
    trust_list: TrustListOption = None,
    device: DeviceOption = "auto",
    model: ModelsOption = None,
) -> None:
    """Open a page in the browser that scans videos; programs use the same address.

    It listens to this machine alone unless told otherwise. Stop it with Ctrl-C: finished scans stay.

    [bold]Examples[/bold]

    unmask serve

    UNMASK_TOKEN=$(openssl rand -hex 16) unmask serve --host 0.0.0.0 --allow-host scans.example.org
    """
    with stopping_on_errors("finished scans stay, and the same command shows them again"):
        from unmask.config import LimitSettings, ScanSettings
        from unmask.errors import MissingExtraError
        from unmask.folders import cache_folder

        scan = ScanSettings(
            model=model[0] if model else None, beside=tuple((model or [])[1:]), score=score_settings(device)
        )
        try:
            from unmask.web.server import serve as serve_until_stopped
            from unmask.web.settings import ServeSettings, UploadSettings, WorkSettings
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("unmask"):
                raise
            raise MissingExtraError(error.name or "fastapi", extra="web") from error
        limits = LimitSettings(memory_mb=memory_mb, sandbox=sandbox)
        settings = ServeSettings(
            folder=folder or cache_folder() / "serve",
            host=host,
            port=port,
            token=token,
            hosts=tuple(allow_host or ()),
            retention_hours=retention_hours,
            scan=scan,
            upload=UploadSettings(max_mb=max_upload_mb),
            work=WorkSettings(jobs, queue, time_limit, limits),
            trust_list=checked(trust_list),
        )
        serve_until_stopped(settings, on_start=lambda address: typer.echo(f"unmask serves {address}"))
