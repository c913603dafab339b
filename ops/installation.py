"""What a data folder remembers of how it is run: sources, flows file, handlers; so that commands need only `--data`."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ops.replaced import replace_file
from proto.errors import SettingsError

FILE = "installation.json"
DEFAULT_SOURCE = "main"
_NAMED = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)=(.+)")


class Installation(msgspec.Struct):
    """sources: name -> URL. flows: path of the flows file as it was given; handlers: what --handlers said."""

    sources: dict[str, str] = {}
    flows: str = ""
    handlers: list[str] = []


def load_installation(folder: Path) -> Installation:
    """Empty for a new folder."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Installation)
    except FileNotFoundError:
        return Installation()
    except msgspec.DecodeError as error:
        raise SettingsError(f"{folder / FILE} can't be read: {error}; remove it and name --source again") from error


def save_installation(folder: Path, installation: Installation) -> None:
    """Replaces the file as a whole."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / FILE, msgspec.json.format(msgspec.json.encode(installation), indent=2))


def parse_sources(texts: Sequence[str]) -> dict[str, str]:
    """`sqlite:///shop.db` -> {"main": ...}; `eu=sqlite:///eu.db` gives it a name. Relative files become absolute."""
    sources: dict[str, str] = {}
    for text in texts:
        named = _NAMED.fullmatch(text)
        name, url = (named[1], named[2]) if named else (DEFAULT_SOURCE, text)
        if name in sources:
            raise SettingsError(f"two sources are named {name!r}; write NAME=URL for each: eu=sqlite:///eu.db")
        sources[name] = _absolute(url)
    return sources


def _absolute(url: str) -> str:
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        return f"sqlite:///{Path(url.removeprefix('sqlite:///')).resolve()}"
    return url
