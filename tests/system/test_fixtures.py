"""A fixture of a real document, and a dead letter, each pasted into a test of the test kit."""

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from argus.testing import HandlerEnvironment
from ops.cli.app import run
from ops.installation import Installation, save_installation
from ops.wiring.handlers import load_handlers
from proto.errors import ValueTypeError
from proto.flows.loader import load
from tests.system.conftest import Make

FLOWS = """
[tables.brands]
source = "brands"
key = "id"
columns = { id = "int", name = "str", email = "str", logo = "bytes" }
sensitive = ["email"]

[tables.brands.derived]
score = { type = "int", handler = "score_brand" }

[tables.products]
source = "products"
key = "id"
columns = { id = "int", brand_id = "int", price = "int" }
references = { brand = "brand_id -> brands" }

[documents.product]
root = "products"

[documents.product.fields]
price = "price"
brand = "brand.name"
logo = "brand.logo"
contact = { handler = "contact" }
per_unit = { handler = "per_unit" }
"""
HANDLERS = """
from argus.api import Change, HandlerContext, field, handler


@field(inputs={"price": "price"}, version=1)
def per_unit(price: int | None) -> int:
    return 100 // price


@field(inputs={"email": "brand.email"}, version=1)
def contact(email: str | None) -> str | None:
    return email and email.upper()


@handler(observes=["brands.name"], version=1)
async def score_brand(ctx: HandlerContext, change: Change) -> None:
    brand = await ctx.read(change.row)
    ctx.write(change.row, {"score": len(brand["name"])})
"""


class Kit:
    """The folder, and the environment that a test of its handlers makes."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys

    def env(self) -> HandlerEnvironment:
        return HandlerEnvironment(load(self._folder / "flows.toml"), *self.modules())

    def modules(self) -> Any:
        return load_handlers([str(self._folder / "fixture_handlers.py")], self._folder / "flows.toml")

    def adsindex(self, *arguments: str) -> tuple[int, str, str]:
        code = run([*arguments, "--data", str(self._folder / "data")])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err


@pytest.fixture
def kit(tmp_path: Path, whole: Make, capsys: pytest.CaptureFixture[str]) -> Kit:
    """Two products of one brand; one can't be built, a brand can't be scored, a row can't be stored."""
    (tmp_path / "flows.toml").write_text(FLOWS)
    (tmp_path / "fixture_handlers.py").write_text(HANDLERS)
    sys.modules.pop("fixture_handlers", None)  # that of another test
    made = Kit(tmp_path, capsys)
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.executescript("""
            CREATE TABLE brands (id INTEGER PRIMARY KEY, name TEXT, email TEXT, logo BLOB);
            CREATE TABLE products (id INTEGER PRIMARY KEY, brand_id INTEGER, price);
            INSERT INTO brands VALUES (1, 'Alba', 'ana@alba.example', x'ff00'), (2, NULL, NULL, NULL);
            INSERT INTO products VALUES (7, 1, 20), (8, 1, 0), (9, 2, 'dear');
        """)
    sources = {"main": f"sqlite:///{tmp_path / 'shop.db'}"}
    index = whole(sources, tmp_path / "flows.toml", made.modules())
    index.settle()
    index.close()
    handlers = [str(tmp_path / "fixture_handlers.py")]
    save_installation(tmp_path / "data", Installation(sources, str(tmp_path / "flows.toml"), handlers))
    return made


def test_a_fixture_builds_the_document_again_and_shows_nothing_sensitive(kit: Kit) -> None:
    code, text, said = kit.adsindex("fixture", "product/7")
    assert code == 0 and "masked: brands.email" in said
    assert "ana@alba.example" not in text.lower()
    fixture = json.loads(text)
    assert fixture["rows"]["products"] == [{"id": 7, "brand_id": 1, "price": 20}]
    assert fixture["rows"]["brands"] == [{"id": 1, "name": "Alba", "email": "masked-1", "logo": "/wA=", "score": 4}]
    built = kit.env().fixture(text).document("product", 7)
    assert built.fields == {"price": 20, "brand": "Alba", "logo": b"\xff\0", "contact": "MASKED-1", "per_unit": 5}
    assert fixture["fields"] == {**built.fields, "logo": "/wA="}


def test_a_document_that_is_not_there_has_no_fixture(kit: Kit) -> None:
    code, text, said = kit.adsindex("fixture", "product/404")
    assert (code, text) == (3, "") and "there is no document product/404" in said


def test_a_field_that_failed_fails_in_the_test(kit: Kit) -> None:
    code, text, _ = kit.adsindex("dead-letters", "show", "product/8", "--json")
    assert code == 0 and json.loads(text)["reason"].startswith("ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        kit.env().replay(text)


def test_a_handler_that_failed_fails_in_the_test(kit: Kit) -> None:
    _, text, _ = kit.adsindex("dead-letters", "show", "score_brand brands/2", "--json")
    with pytest.raises(TypeError, match="NoneType"):
        kit.env().replay(text)


def test_a_row_that_could_not_be_stored_can_not_be_put(kit: Kit) -> None:
    _, text, _ = kit.adsindex("dead-letters", "show", "products/9", "--json")
    with pytest.raises(ValueTypeError, match=r"column products\.price: 'dear'"):
        kit.env().replay(text)


def test_a_letter_can_be_shown_by_its_number(kit: Kit) -> None:
    _, listed, _ = kit.adsindex("dead-letters", "list")
    number = next(line.split()[0] for line in listed.splitlines() if "product/8" in line)
    code, text, _ = kit.adsindex("dead-letters", "show", number, "--json")
    assert code == 0 and json.loads(text)["subject"] == "product/8"
    assert kit.adsindex("dead-letters", "show", "99")[0] == 3
