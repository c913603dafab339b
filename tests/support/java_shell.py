"""A Java program that is driven by lines: a command and its arguments, each answered by one line."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pytest

from ops.cluster.java import find_java


def find_javac() -> str:
    """Java's compiler; without it the test is left out."""
    beside = Path(find_java(os.environ)).with_name("javac")
    javac = str(beside) if beside.exists() else shutil.which("javac")
    if javac is None:
        pytest.skip("there is no `javac`. On Debian and Ubuntu: apt-get install default-jdk-headless")
    return javac


class JavaShell:
    """Says `ready`, or anything, when it has begun. Bytes go in hexadecimal, `-` for none."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, cwd=log.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, text=True
            )
        self._read("it to begin")

    def ask(self, command: str, *arguments: str | bytes) -> str:
        """Its answer, which is no error."""
        words = [word if isinstance(word, str) else word.hex() or "-" for word in arguments]
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join([command, *words]) + "\n")
        self._process.stdin.flush()
        return self._read(command)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.communicate()

    def _read(self, what: str) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line and not line.startswith("error"), f"{what}: {line} {self._log.read_text()[-2000:]}"
        return line.rstrip("\n")
