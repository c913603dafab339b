"""Java and Maven as they are installed here; where they are not, how to install them."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from proto.errors import SettingsError

_OLDEST, _NEWEST = 17, 23
"""Java 24 has no security manager any more, which Hadoop's libraries call."""


def find_java(environment: Mapping[str, str]) -> str:
    """The program: of JAVA_HOME if that is set, else the first in PATH. Raises SettingsError if it does not fit."""
    home = environment.get("JAVA_HOME")
    found = str(Path(home, "bin", "java")) if home else shutil.which("java", path=environment.get("PATH", ""))
    if found is None:
        raise SettingsError(f"the servers need Java {_OLDEST} or later, and there is no `java` in PATH. {_advice()}")
    try:
        said = subprocess.run([found, "-version"], capture_output=True, text=True, timeout=60).stderr
    except OSError as error:
        raise SettingsError(f"JAVA_HOME is {home}, but {found} does not run: {error.strerror}. {_advice()}") from None
    version = java_version(said)
    if not _OLDEST <= version <= _NEWEST:
        raise SettingsError(
            f"{found} is Java {version or 'of an unknown version'}; the servers need {_OLDEST} to {_NEWEST}. "
            f"{_advice()} Then set JAVA_HOME, if another one stays the first in PATH."
        )
    return found


def find_maven(environment: Mapping[str, str]) -> str:
    """The program. Raises SettingsError if there is none."""
    found = shutil.which("mvn", path=environment.get("PATH", ""))
    if found is None:
        raise SettingsError(f"the servers' jars are fetched by Maven, and there is no `mvn` in PATH. {_advice()}")
    return found


def java_version(said: str) -> int:
    """The major version in what `java -version` prints; 0: none. `1.8.0_402` is 8."""
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(version[1]) if version else 0


def _advice() -> str:
    if sys.platform == "darwin":
        return "Install both: brew install openjdk@17 maven"
    return "On Debian and Ubuntu: apt-get install default-jre-headless maven"
