"""``unmask data``: a data set as it was downloaded comes in, what training is made from goes out.

Never here: what the room `unmask.lab.datasets` should do, or pandas before a command runs.
"""

from __future__ import annotations

import typer

from unmask.cli.commands import Command, Group
from unmask.cli.lab.data.audit import audit
from unmask.cli.lab.data.explore import explore
from unmask.cli.lab.data.facebench import facebench
from unmask.cli.lab.data.index import index
from unmask.cli.lab.data.montage import montage
from unmask.cli.lab.data.split import split

data = typer.Typer(
    cls=Group, help="Index data sets, look into them, check them, split them.", no_args_is_help=True
)
data.command(cls=Command, epilog="Example: unmask data index dfdc_train_part_*.zip -o dfdc.parquet")(index)
data.command(cls=Command, epilog="Example: unmask data explore dfdc.parquet -o dfdc.html")(explore)
data.command(
    cls=Command, epilog="Example: unmask data audit dfdc.parquet -o audit.json --clean clean.parquet"
)(audit)
data.command(cls=Command, epilog="Example: unmask data split dfdc.parquet --by person -o dfdc.parquet")(split)
data.command(cls=Command, epilog="Example: unmask data facebench -o bench --portraits photos --half tune")(
    facebench
)
data.command(cls=Command, epilog="Example: unmask data montage dfdc_mini -o film.mp4 --shots 14 --fakes 1")(
    montage
)
