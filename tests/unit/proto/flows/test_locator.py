"""Lines of keys in TOML."""

import tomllib
from typing import Any

import pytest

from proto.flows.locator import KeyPath, locate

TEXT = '''\
# [not.a.table]
top = 1979-05-27 07:32:00

[a.b]
"quoted key" = "= [x] # {"
c.d = """
[not.a.table]
e = "no" """
list = [ # a comment
  1.5,
  { f = 'x', "g\\u0041" = [ 1e-3, -inf ] },
]
[a]
\t'h' = {i = {j = true}}  # the end
[[many]]
k = 1
[[many]]
k = 2
[many.l]
m = \'\'\'
it's\'\'\'
n = 3'''


def paths_of(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path} | {found for key, item in items for found in paths_of(item, (*path, key))}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2), (("a", "b"), 4), (("a", "b", "quoted key"), 5), (("a", "b", "c", "d"), 6),
        (("a", "b", "list"), 9),
        (("a", "b", "list", 0), 10), (("a", "b", "list", 1, "f"), 11), (("a", "b", "list", 1, "gA", 1), 11),
        (("a", "h", "i", "j"), 14), (("many", 0, "k"), 16), (("many", 1, "k"), 18), (("many", 1, "n"), None),
        (("m",), None),
    ],
)  # fmt: skip
def test_lines(path: KeyPath, line: int | None) -> None:
    assert locate(TEXT).get(path) == line


def test_every_value_has_a_line() -> None:
    expected = paths_of(tomllib.loads(TEXT)) - {()}
    # [many.l] goes into the last of [[many]], which the flows file has no use for
    assert {path for path in expected if "l" not in path} <= locate(TEXT).keys()


def test_windows_line_ends() -> None:
    assert locate("[a]\r\nb = 1\r\n\r\nc = 2\r\n")["a", "c"] == 4
