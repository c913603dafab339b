"""New flows, limits, one document explained, the page, JSON: on a shop with a sensitive column and files of its own."""

import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.cli.app import run
from ops.installation import Installation, save_installation
from ops.wiring.handlers import load_handlers
from tests.system.conftest import Make
from tests.system.devrun.conftest import Ran

FLOWS = """
[tables.brands]
source = "brands"
key = "id"
columns = { id = "int", name = "str", email = "str" }
sensitive = ["email"]

[tables.products]
source = "products"
key = "id"
columns = { id = "int", brand_id = "int", price = "int", title = "str" }
references = { brand = "brand_id -> brands" }

[documents.product]
root = "products"
servable = "price > 0"

[documents.product.fields]
title = "title"
price = "price"
brand = "brand.name"
"""
FIELDS = '''"""Fields of a product."""

from argus.api import field
from dry_prices import tax


@field(document="product", inputs={"price": "price"}, version=1)
def gross(price: int | None) -> int | None:
    """The price with tax."""
    return None if price is None else price + tax(price)


@field(document="product", inputs={"email": "brand.email", "title": "title"}, version=1)
def contact(email: str | None, title: str | None) -> str:
    """Whom to ask."""
    return f"{email} about {title}"
'''
PRICES = '''"""Prices."""


def tax(price: int) -> int:
    return price // 5
'''
Shop = Callable[..., Ran]


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """A copy of the shop's code, to be edited. Without its bytecode: Python takes that for current if the text was
    edited in the same second, and is as long as before."""
    shutil.copytree(tmp_path / "code", tmp_path / "new", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "new"


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, whole: Make, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Sixty products of three brands; the command on their folder."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("dry_fields", "dry_prices"):  # those of another test
        sys.modules.pop(name, None)
    code = tmp_path / "code"
    code.mkdir()
    (code / "dry_fields.py").write_text(FIELDS)
    (code / "dry_prices.py").write_text(PRICES)
    (tmp_path / "flows.toml").write_text(FLOWS)
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.executescript("""
            CREATE TABLE brands (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
            CREATE TABLE products (id INTEGER PRIMARY KEY, brand_id INTEGER, price INTEGER, title TEXT);
        """)
        for number in (1, 2, 3):
            database.execute(
                "INSERT INTO brands VALUES (?, ?, ?)", (number, f"Brand {number}", f"b{number}@secret.example")
            )
        for number in range(60):
            title = "<script>alert(1)</script>" if number == 3 else f"Lamp {number}"
            database.execute("INSERT INTO products VALUES (?, ?, ?, ?)", (number, number % 3 + 1, number * 10, title))
    sources = {"main": f"sqlite:///{tmp_path / 'shop.db'}"}
    index = whole(sources, tmp_path / "flows.toml", load_handlers([str(code)], tmp_path / "flows.toml"))
    index.settle()
    index.close()
    save_installation(tmp_path / "data", Installation(sources, str(tmp_path / "flows.toml"), [str(code)]))

    def devrun(*arguments: object) -> Ran:
        code = run(["devrun", *map(str, arguments), "--data", str(tmp_path / "data")])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return devrun


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_what_a_module_uses_is_taken_from_the_new_code_too(shop: Shop, new: Path, tmp_path: Path) -> None:
    edit(new / "dry_prices.py", "price // 5", "price // 4")
    edit(new / "dry_fields.py", "about", "on")
    page, file = tmp_path / "report.html", tmp_path / "report.json"
    ran = shop("--handlers", new, "--max-changed", "5%", "--html", page, "--json", file)
    assert ran.code == 1
    assert "--max-changed: gross changes on 58 of 60 (96.7 %); 5 % is allowed" in ran.output
    report = json.loads(file.read_text())
    fields = {field["name"]: field for field in report["fields"]}
    assert fields["gross"]["changed"] == 58 and not fields["gross"]["edited"]
    assert fields["contact"]["changed"] == 60 and fields["contact"]["edited"]
    assert fields["title"]["same"] == 60
    for text in (ran.output, page.read_text(), file.read_text()):
        assert "secret.example" not in text and "(masked)" in text
    html = page.read_text()
    assert "gross" in html and "58 of 60" in html
    for word in ("http:", "https:", "src=", "<script", "@import", "url("):
        assert word not in html, "one file, no requests, no values as markup"


def test_one_file_replaces_the_one_of_its_name(shop: Shop, new: Path) -> None:
    edit(new / "dry_prices.py", "price // 5", "price // 4")
    ran = shop("--handlers", new / "dry_prices.py")
    assert ran.code == 0 and "1 of 7 fields change" in ran.output


def test_one_document_is_explained_with_what_its_fields_got(shop: Shop, new: Path) -> None:
    edit(new / "dry_fields.py", "price + tax(price)", "price + tax(price) // (price - 30)")
    ran = shop("--handlers", new, "--explain", "product/3")
    assert ran.code == 0 and "1 of 7 fields differ" in ran.output
    first, _ = ran.output.split("the same in both")
    for text in ("before  36", "after   ZeroDivisionError", "price                30  price"):
        assert text in first
    assert "secret.example" not in ran.output
    ran = shop("--handlers", new, "--explain", "4", "--json", "-")
    gross = json.loads(ran.output)["fields"][0]
    assert (gross["name"], gross["status"], gross["before"], gross["after"]) == ("gross", "changed", 48, 40)


def test_new_flows_add_and_take_away(shop: Shop, new: Path, tmp_path: Path) -> None:
    changed = FLOWS.replace('title = "str" }', 'title = "str", weight = "int" }\nlanes = { price = "low" }')
    changed = changed.replace('title = "title"', 'name = "title"\nweight = "weight"').replace(
        "price > 0", "price > 100"
    )
    changed += '[documents.brand]\nroot = "brands"\nfields = { name = "name" }\n'
    (tmp_path / "new.toml").write_text(changed)
    edit(new / "dry_fields.py", '"title": "title"}', '"title": "title", "brand": "brand.name"}')
    edit(new / "dry_fields.py", "title: str | None)", "title: str | None, brand: str | None)")
    edit(new / "dry_fields.py", "about", "from {brand} about")
    ran = shop("--flows", tmp_path / "new.toml", "--handlers", new, "--json", tmp_path / "report.json")
    assert ran.code == 0
    assert "note: column products.weight is new and not stored yet: here it is NULL in every row" in ran.screen()
    assert "10 stop being servable" in ran.screen() and "3 are new" in ran.screen()
    fields = {
        (one["subject"], one["name"]): one for one in json.loads((tmp_path / "report.json").read_text())["fields"]
    }
    said = {name: one["findings"][0]["sentence"] for (_, name), one in fields.items() if one["findings"]}
    assert (said["name"], said["title"], said["weight"]) == (
        "is new; 0 % are NULL",
        "is gone",
        "is new; 100 % are NULL",
    )
    assert fields["product", "price"]["same"] == 60, "its lane is another, its values are those that are stored"
    assert fields["brand", "name"]["status"] == "added"


def test_flows_that_are_wrong_are_told(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "new.toml").write_text(FLOWS.replace('"brand.name"', '"brand.nam"'))
    ran = shop("--flows", tmp_path / "new.toml")
    assert ran.code == 2 and "new.toml:" in ran.errors and "did you mean 'name'" in ran.errors
    assert shop("--flows", tmp_path / "none.toml").code == 2


def test_code_that_was_edited_since_it_was_started_is_told(shop: Shop, new: Path, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "code", tmp_path / "as_it_was")
    edit(tmp_path / "code" / "dry_fields.py", "version=1", "version=2")
    edit(tmp_path / "code" / "dry_fields.py", "about", "on")
    ran = shop("--handlers", new)
    assert "it was changed since it was started" in ran.screen()
    assert "60 of 60 product documents are stored otherwise than the running code builds them" in ran.screen()
    ran = shop("--handlers", tmp_path / "code", "--running", tmp_path / "as_it_was")
    assert "note" not in ran.screen() and "1 of 7 fields change" in ran.screen()
