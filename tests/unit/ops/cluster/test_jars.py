"""Maven's part is played by a shell script, which fails or is killed when a test wants it; tests/cluster has Maven."""

from pathlib import Path

import pytest

from ops.cluster.jars import fetched, jar_folder
from proto.errors import SettingsError, UnavailableError

OUTPUT = "for word; do case $word in -DoutputDirectory=*) out=${word#*=};; esac; done; mkdir -p $out; "
"""The first line of a script that takes Maven's place: `$out` is the folder that it is to fill."""


@pytest.fixture
def pom(tmp_path: Path) -> Path:
    path = tmp_path / "pom-x.xml"
    path.write_text("<project/>")
    return path


def maven(folder: Path, script: str) -> dict[str, str]:
    """The environment in which `mvn` does that."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "mvn").write_text(f"#!/bin/sh\n{OUTPUT}{script}\n")
    (programs / "mvn").chmod(0o755)
    return {"PATH": f"{programs}:/usr/bin:/bin", "XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)}


def no_maven(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "PATH": ""}


def test_jars_are_fetched_once_and_then_without_maven(pom: Path, tmp_path: Path) -> None:
    said: list[str] = []
    environment = maven(tmp_path, "echo > $out/a.jar")
    folder = fetched(pom, environment, said.append)
    assert folder == jar_folder(pom, environment)
    assert tmp_path / "cache/adsindex/jars" == folder.parent
    assert [path.name for path in folder.iterdir()] == ["a.jar"]
    assert fetched(pom, no_maven(environment), said.append) == folder
    assert len(said) == 1


def test_another_pom_is_another_folder(pom: Path, tmp_path: Path) -> None:
    environment = maven(tmp_path, "echo > $out/a.jar")
    first = fetched(pom, environment, print)
    pom.write_text("<project></project>")
    assert fetched(pom, environment, print) != first


def test_without_a_cache_folder_of_its_own_it_is_in_the_home_folder(pom: Path) -> None:
    assert jar_folder(pom, {"HOME": "/home/mia"}).parent == Path("/home/mia/.cache/adsindex/jars")


def test_when_maven_fails_its_last_words_are_shown_and_nothing_is_kept(pom: Path, tmp_path: Path) -> None:
    environment = maven(tmp_path, "echo > $out/a.jar; echo '[ERROR] no such host'; exit 1")
    with pytest.raises(UnavailableError, match="no such host"):
        fetched(pom, environment, print)
    with pytest.raises(SettingsError, match="no `mvn` in PATH"):  # so it would have to fetch them again
        fetched(pom, no_maven(environment), print)


def test_what_a_killed_maven_has_left_does_not_count(pom: Path, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="could not fetch the jars"):
        fetched(pom, maven(tmp_path, "echo > $out/half.jar; kill -9 $$"), print)
    folder = fetched(pom, maven(tmp_path, "echo > $out/whole.jar"), print)
    assert [path.name for path in folder.iterdir()] == ["whole.jar"]
