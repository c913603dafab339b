"""Which Java fits, and what is said when it or Maven is missing; shell scripts play other versions of Java."""

from pathlib import Path

import pytest

from ops.cluster.java import find_java, find_maven, java_version
from proto.errors import SettingsError

INSTALL = "apt-get install default-jre-headless maven|brew install openjdk@17 maven"


def program(folder: Path, name: str, said: str) -> None:
    """A shell script that prints this as its errors."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17),
        ('java version "1.8.0_402"', 8),
        ('openjdk version "21" 2023-09-19', 21),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", 0),
    ],
)
def test_the_version_is_read_as_every_java_writes_it(said: str, version: int) -> None:
    assert java_version(said) == version


def test_without_java_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=INSTALL) as found:
        find_java({"PATH": str(tmp_path)})
    assert "no `java` in PATH" in str(found.value)


def test_without_maven_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=INSTALL) as found:
        find_maven({"PATH": str(tmp_path)})
    assert "no `mvn` in PATH" in str(found.value)


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2", "24.0.1"])
def test_a_java_that_does_not_fit_is_named_with_those_that_do(tmp_path: Path, version: str) -> None:
    program(tmp_path, "java", f'openjdk version "{version}"')
    with pytest.raises(SettingsError, match="the servers need 17 to 23"):
        find_java({"PATH": str(tmp_path)})


def test_java_home_comes_first(tmp_path: Path) -> None:
    program(tmp_path / "old", "java", 'openjdk version "11.0.2"')
    program(tmp_path / "new/bin", "java", 'openjdk version "21.0.2"')
    found = find_java({"PATH": str(tmp_path / "old"), "JAVA_HOME": str(tmp_path / "new")})
    assert found == str(tmp_path / "new/bin/java")


def test_a_java_home_without_java_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="JAVA_HOME is /nowhere"):
        find_java({"PATH": str(tmp_path), "JAVA_HOME": "/nowhere"})
