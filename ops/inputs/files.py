"""Which files of rows a path means, and who opens each."""

from pathlib import Path
from typing import Literal

from gateway.capture.file.jsonl import JsonlFile
from gateway.capture.file.parquet import ParquetFile
from gateway.capture.file.port import RowFile
from proto.errors import SettingsError

Format = Literal["parquet", "jsonl"]
_SUFFIXES: dict[str, Format] = {".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def find_files(path: Path, form: Format | None) -> list[str]:
    """The file; of a folder all that are called as such, at any depth, by name. Raises SettingsError if none is.

    What begins with a dot or an underscore is left out: programs keep their marks so.
    """
    if not path.exists():
        raise SettingsError(f"there is no file or folder {path}")
    if not path.is_dir():
        return [str(path.resolve())]
    wanted = [suffix for suffix, one in _SUFFIXES.items() if form in (None, one)]
    found = [
        str(file.resolve())
        for file in sorted(path.rglob("*"))
        if file.suffix in wanted and not any(part[0] in "._" for part in file.relative_to(path).parts)
    ]
    if not found:
        raise SettingsError(f"folder {path} holds no file that ends in {', '.join(wanted)}")
    return found


def open_file(path: str, form: Format | None) -> RowFile:
    """Form None: as its name ends. Raises SettingsError when it can't be read, or how is not known."""
    file = Path(path)
    known = form or _SUFFIXES.get(file.suffix)
    if known is None:
        raise SettingsError(f"{path} ends in none of {', '.join(_SUFFIXES)}: say --format parquet or --format jsonl")
    return ParquetFile(file) if known == "parquet" else JsonlFile(file)
