"""What a run was measured on: machine, versions, memory."""

import os
import platform
import re
import resource
import sqlite3
from importlib.metadata import version
from pathlib import Path

import lmdb


def machine() -> dict[str, str | int | float]:
    """Processor, cores, memory, system."""
    text = _text("/proc/cpuinfo")
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": model[1] if model else platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
    }


def versions() -> dict[str, str]:
    """Of what decides about speed."""
    return {
        "adsindex": version("adsindex"),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "lmdb": ".".join(map(str, lmdb.version())),
        "msgspec": version("msgspec"),
    }


def resident_mb() -> float:
    """Anonymous and shared memory of this process, now: without mapped files, so without the pages of the data file.

    Where the kernel doesn't tell them apart (macOS): everything, at its peak.
    """
    found = re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+) kB", _text("/proc/self/status"), re.MULTILINE)
    if found:
        return sum(map(int, found)) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _text(file: str) -> str:
    path = Path(file)
    return path.read_text() if path.exists() else ""
