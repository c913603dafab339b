"""Arguments that several commands share."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

DEFAULT_DATA = Path("adsindex-data")

Data = Annotated[Path, Parameter(name="--data", env_var="ADSINDEX_DATA", help="The data folder.")]
Json = Annotated[bool, Parameter(name="--json", negative=(), show_default=False, help="Print JSON, for programs.")]
AsOf = Annotated[
    str | None,
    Parameter(
        name="--as-of",
        allow_leading_hyphen=True,
        help="Look back: 2026-11-22T21:14:03Z (UTC without a zone), -5m, -1h30m, or a timestamp.",
    ),
]
