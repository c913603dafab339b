"""The first flows file: it loads, and says what people of the domain would say."""

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.errors import SettingsError
from proto.flows.inspected import InspectedColumn, InspectedForeignKey, InspectedTable
from proto.flows.loader import loads
from proto.flows.model import Collection, Reference
from proto.flows.writer import write_flows


def table(name: str, columns: str, key: str = "id", **foreign_keys: str) -> InspectedTable:
    """columns: "id int, name text!" (! : NOT NULL); foreign_keys: column="parent"."""
    inspected = tuple(
        InspectedColumn(one.split()[0], " ".join(one.split()[1:]).rstrip("!"), not one.endswith("!"))
        for one in columns.split(", ")
    )
    links = tuple(InspectedForeignKey((column,), parent) for column, parent in foreign_keys.items())
    return InspectedTable(name, inspected, tuple(key.split()), links)


LIBRARY = [
    table("authors", "id integer, name text, api_token text"),
    table("books", "id integer, title text, price decimal(8,2), published date, status varchar(9)"),
    table("book_authors", "book_id int, author_id int, position int", "book_id author_id",
          book_id="books", author_id="authors"),
    table("members", "id integer, name text, is_active boolean"),
    table("loans", "id integer, book_id int!, member_id int!, due datetime, status text",
          book_id="Books", member_id="members"),
]  # fmt: skip


def test_a_library() -> None:
    flows = loads(write_flows(LIBRARY))
    assert list(flows.tables) == ["authors", "books", "book_authors", "members", "loans"]
    assert flows.tables["loans"].references["book"] == Reference("book", "loans", ("book_id",), "books")
    assert flows.tables["books"].collections["book_authors"] == Collection(
        "book_authors", "books", "book_authors", ("book_id",), "position", limit=1000
    )
    assert {name: column.type for name, column in flows.tables["books"].columns.items()} == {
        "id": "int", "title": "str", "price": "decimal", "published": "date", "status": "str"
    }  # fmt: skip
    assert flows.tables["authors"].columns["api_token"].sensitive
    (loan,) = flows.documents.values()
    assert (loan.name, loan.root) == ("loan", "loans")
    assert {name: field.path for name, field in loan.fields.items()} == {
        "id": "id", "book_id": "book_id", "member_id": "member_id", "due": "due", "status": "status",
        "book_title": "book.title", "book_price": "book.price", "book_published": "book.published",
        "book_status": "book.status", "member_name": "member.name", "member_is_active": "member.is_active",
    }  # fmt: skip


def test_parts_of_a_row_become_lists() -> None:
    ads = [
        table("ads", "id int, group_id int, title text", group_id="ad_groups"),
        table("ad_groups", "id int, name text"),
        table("keywords", "id int, word text"),
        table("ad_keywords", "id int, ad_id int, keyword_id int, weight real", ad_id="ads", keyword_id="keywords"),
    ]
    (ad,) = loads(write_flows(ads)).documents.values()
    assert ad.root == "ads"
    paths = {name: field.path for name, field in ad.fields.items()}
    assert paths["ad_keywords_weight"] == "ad_keywords.weight"
    assert paths["keyword_word"] == "ad_keywords.keyword.word"
    assert paths["group_name"] == "group.name"


def test_one_table_is_enough() -> None:
    (note,) = loads(write_flows([table("notes", "id int, body text")])).documents.values()
    assert list(note.fields) == ["id", "body"]


def test_a_table_without_a_key_is_commented_out_with_the_reason() -> None:
    log = InspectedTable("log", (InspectedColumn("at", "datetime", False), InspectedColumn("what")), unique=(("at",),))
    text = write_flows([*LIBRARY, log])
    assert "log" not in loads(text).tables
    assert "# Left out: 'log', because it has no primary key" in text
    assert "# Its columns at are unique: make them its primary key." in text
    assert "# [tables.log]" in text


@pytest.mark.parametrize(
    ("foreign_key", "reason"),
    [
        (InspectedForeignKey(("name",), "nowhere"), "that table is not there"),
        (InspectedForeignKey(("name",), "books", ("title",)), "does not lead to the primary key"),
        (InspectedForeignKey(("picture",), "books"), "the types differ"),
    ],
)
def test_a_foreign_key_that_cannot_be_followed_is_explained(foreign_key: InspectedForeignKey, reason: str) -> None:
    columns = (InspectedColumn("id", "int"), InspectedColumn("name", "text"), InspectedColumn("picture", "blob"))
    text = write_flows([*LIBRARY, InspectedTable("shelves", columns, ("id",), (foreign_key,))])
    assert re.search(f"# Left out of shelves: .*{reason}", text)
    assert not loads(text).tables["shelves"].references


def test_a_loop_is_broken_where_a_value_may_be_missing() -> None:
    departments = table("departments", "id int, head_id int", head_id="employees")
    employees = table(
        "employees", "id int, department_id int!, boss_id int", department_id="departments", boss_id="employees"
    )
    text = write_flows([departments, employees])
    flows = loads(text)
    assert list(flows.tables["employees"].references) == ["department", "boss"]
    assert not flows.tables["departments"].references
    assert "it would make a loop" in text.replace("with the other references ", "")


def test_names_that_need_quotes() -> None:
    orders = table("Orders", "id int, total real")
    lines = InspectedTable(
        "Order Details",
        (InspectedColumn("Order ID", "int"), InspectedColumn("No", "int"), InspectedColumn("a.b", "int")),
        ("Order ID", "No"),
        (InspectedForeignKey(("order id",), "orders", ("ID",)),),
    )
    text = write_flows([orders, lines, table("注文 2", "id int, 名前 text")])
    flows = loads(text)
    assert flows.tables["Order_Details"].source_table == "Order Details"
    assert flows.tables["Order_Details"].references["Order"].columns == ("Order ID",)
    assert "# Left out of Order_Details: column 'a.b': its name can't stand in a path." in text
    assert "名前" in flows.tables["注文_2"].columns


def test_two_references_to_one_table_have_two_names() -> None:
    orders = table("orders", "id int, ship_to int, bill_to int", ship_to="addresses", bill_to="addresses")
    flows = loads(write_flows([orders, table("addresses", "id int, street text")]))
    assert {link.columns for link in flows.tables["orders"].references.values()} == {("ship_to",), ("bill_to",)}
    assert len(flows.tables["addresses"].collections) == 2


@pytest.mark.parametrize("tables", [[], [table("log", "at int", key="")]])
def test_nothing_to_write_is_an_error(tables: list[InspectedTable]) -> None:
    with pytest.raises(SettingsError, match=r"no table"):
        write_flows(tables)


NAMES = st.sampled_from(
    ["a", "b", "a_id", "b_id", "id", "name", "a b", "x.y", 'q"', "select", "é", "2", "\n", "Ab", "aB"]
)
DECLARED = st.sampled_from(
    ["int", "integer", "text", "", "json", "blob", "decimal(3,1)", "tinyint(1)", "datetime", "x"]
)


@st.composite
def databases(draw: st.DrawFn) -> list[InspectedTable]:
    """Any tables with any keys and foreign keys, sensible or not."""
    names = draw(
        st.lists(NAMES | st.text(string.printable, min_size=1, max_size=4), min_size=1, max_size=4, unique_by=str.lower)
    )
    tables = []
    for name in names:
        columns = draw(st.lists(st.builds(InspectedColumn, NAMES, DECLARED, st.booleans()),
                                min_size=1, max_size=5, unique_by=lambda column: column.name.lower()))  # fmt: skip
        of_table = st.sampled_from([column.name for column in columns])
        targets = st.lists(NAMES, max_size=2)
        links = st.builds(
            lambda own, parent, there: InspectedForeignKey(tuple(own), parent, tuple(there)),
            st.lists(of_table, min_size=1, max_size=2), st.sampled_from([*names, "nowhere"]), targets,
        )  # fmt: skip
        key = draw(st.lists(of_table, min_size=0 if tables else 1, max_size=2, unique=True))
        tables.append(InspectedTable(name, tuple(columns), tuple(key), tuple(draw(st.lists(links, max_size=3)))))
    return tables


@settings(max_examples=300, deadline=None)
@given(databases())
def test_whatever_the_database_the_file_loads(tables: list[InspectedTable]) -> None:
    try:
        text = write_flows(tables)
    except SettingsError:  # every key has a column that can't be named
        return
    flows = loads(text)
    assert flows.documents
    assert all(document.fields for document in flows.documents.values())
