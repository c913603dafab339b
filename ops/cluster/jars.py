"""The jars of a kit, fetched by Maven once into a cache outside the checkout: a folder named by the hash of the pom.

The folder is there whole or not at all: Maven fills one beside it, which is then renamed.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from ops.cluster.java import find_maven
from proto.errors import UnavailableError

_PATIENCE_S = 1_800
_LINES_SHOWN = 15


def jar_folder(pom: Path, environment: Mapping[str, str]) -> Path:
    """Where they are, if it is there, and will be, if it is not."""
    home = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME") or Path.home(), ".cache")
    return Path(home, "adsindex", "jars", hashlib.sha256(pom.read_bytes()).hexdigest()[:16])


def fetched(pom: Path, environment: Mapping[str, str], report: Callable[[str], None]) -> Path:
    """The folder that holds them. Raises SettingsError without Maven, UnavailableError when it can't fetch them."""
    folder = jar_folder(pom, environment)
    if folder.is_dir():
        return folder
    maven = find_maven(environment)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process may be fetching them
        if not folder.is_dir():
            report(f"{pom.stem}: Maven fetches the jars into {folder} (some 120 MB, once)")
            unfinished = folder.with_suffix(".part")
            shutil.rmtree(unfinished, ignore_errors=True)
            _fetch(maven, pom, unfinished, environment)
            os.rename(unfinished, folder)
    return folder


def _fetch(maven: str, pom: Path, folder: Path, environment: Mapping[str, str]) -> None:
    command = [maven, "--batch-mode", "--quiet", "--file", str(pom), "dependency:copy-dependencies",
               f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]  # fmt: skip
    try:
        done = subprocess.run(
            command, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=_PATIENCE_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UnavailableError(
            f"Maven has not fetched the jars within {_PATIENCE_S} s; is the network there?"
        ) from None
    if done.returncode or not any(folder.glob("*.jar")):
        end = "\n".join(done.stdout.splitlines()[-_LINES_SHOWN:])
        raise UnavailableError(f"Maven could not fetch the jars of {pom.name}; it says:\n{end}")
