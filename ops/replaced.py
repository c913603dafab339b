"""Files that are replaced as a whole: whoever looks meanwhile finds the old one or the new one."""

from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """What is unfinished lies beside it, under another suffix."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_bytes(data)
    unfinished.replace(path)
