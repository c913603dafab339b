"""The modules of proto/wire are what the compiler makes of its .proto files."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT

WIRE = ROOT / "proto" / "wire"


def test_generated_modules_are_current(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools", reason="without grpcio-tools nothing can be made again to compare with")
    sources = [path.relative_to(ROOT).as_posix() for path in sorted(WIRE.glob("*.proto"))]
    into = (f"--python_out={tmp_path}", f"--pyi_out={tmp_path}")
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", "-I.", *into, *sources], cwd=ROOT, check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "proto" / "wire").iterdir()}
    assert made and made == {path.name: path.read_text() for path in WIRE.glob("*_pb2.py*")}, "run `make wire`"
