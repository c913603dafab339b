"""Reading what a batch of documents needs: parents, children, keys of any shape."""

from repo.system import BUILD, document_table
from tests.support.argus_world import World, gone, key_of, put
from tests.unit.argus.conftest import MakeWorld

SHOPS = """
[tables.orders]
source = "orders"
key = ["shop", "number"]
columns = { shop = "str", number = "int", customer = "str", status = "str" }
references = { buyer = "customer -> customers" }
collections = { lines = "lines.(shop, number) order by price desc" }

[tables.lines]
source = "lines"
key = ["shop", "number", "line"]
columns = { shop = "str", number = "int", line = "int", price = "decimal", book = "str" }
references = { order = "(shop, number) -> orders", book_row = "book -> books" }

[tables.books]
source = "books"
key = "isbn"
columns = { isbn = "str", title = "str" }

[tables.customers]
source = "customers"
key = "id"
columns = { id = "int", name = "str", points = "int" }
lanes = { points = "medium" }

[documents.order]
root = "orders"

[documents.order.fields]
prices = "lines.price"
titles = "lines.book_row.title"
buyer = "buyer.name"
points = "buyer.points"

[documents.line]
root = "lines"

[documents.line.fields]
status = "order.status"
buyer = "order.buyer.name"
beside = "order.lines.line"
"""


def test_composite_keys_and_order_by_a_decimal_downwards(make_world: MakeWorld) -> None:
    world = make_world(SHOPS)
    world.edit(
        put("orders", shop="x", number=1, status="OPEN", customer="7"),
        put("lines", shop="x", number=1, line=1, price="9.5", book="a"),
        put("lines", shop="x", number=1, line=2, price="10.25", book="b"),
        put("lines", shop="x", number=11, line=1, price="1", book="a"),
        put("lines", shop="x", number=1, line=3, price=None, book=None),
        put("books", isbn="a", title="A"),
        put("books", isbn="b", title="B"),
        put("customers", id=7, name="Ann", points=3),
    )
    assert world.fields("x", 1, document_type="order") == {
        "prices": [None, "10.25", "9.5"],
        "titles": [None, "B", "A"],
        "buyer": "Ann",
        "points": 3,
    }
    assert world.fields("x", 1, 2, document_type="line") == {"status": "OPEN", "buyer": "Ann", "beside": [3, 2, 1]}


def test_a_reference_value_that_no_parent_can_have_is_a_missing_parent(make_world: MakeWorld) -> None:
    world = make_world(SHOPS)
    customers = ["nobody", "9" * 30, "\0", "7" * 500, "🌍" * 300]
    world.edit(*(put("orders", shop="x", number=at, customer=text) for at, text in enumerate(customers)))
    for at in range(len(customers)):
        content = world.content("x", at, document_type="order")
        assert content is not None and content.missing == ["buyer"], customers[at]


def test_a_reference_value_that_no_parent_can_have_leads_to_no_document(make_world: MakeWorld) -> None:
    flows = SHOPS.replace('lanes = { points = "medium" }', 'collections = { orders = "orders.customer" }')
    world = make_world(flows + '[documents.buyer]\nroot = "customers"\nfields = { orders = "orders.number" }')
    world.edit(put("customers", id=7, points=3))
    world.edit(put("customers", id=7, points="many"))  # a dead letter, so that each build looks for one
    world.edit(put("orders", shop="x", number=1, customer="nobody"), put("orders", shop="x", number=2, customer="7"))
    assert world.fields(7, document_type="buyer") == {"orders": [2]}
    with world.repo.snapshot() as snapshot:
        built = [key for key, _ in snapshot.scan(document_table("buyer"), BUILD)]
    assert built == [key_of(7)]


def test_behind_a_parent_that_is_not_there_are_no_children_of_it(make_world: MakeWorld) -> None:
    world = make_world(SHOPS)
    world.edit(*(put("lines", shop="x", number=1, line=line, price="1") for line in (1, 2)))
    fields = {"status": None, "buyer": None, "beside": []}
    assert world.fields("x", 1, 2, document_type="line") == fields, "as a LEFT JOIN gives"
    world.edit(put("orders", shop="x", number=1, status="OPEN"))
    assert world.fields("x", 1, 2, document_type="line") == {**fields, "status": "OPEN", "beside": [1, 2]}
    world.edit(gone("orders", "x", 1))
    assert world.fields("x", 1, 2, document_type="line") == fields


def test_a_reference_longer_than_a_key_does_not_stop_the_batch(make_world: MakeWorld) -> None:
    world = make_world(SHOPS)
    world.edit(
        put("orders", shop="x", number=1),
        put("lines", shop="x", number=1, line=1, book="b" * 1_000_000),
        put("lines", shop="x", number=1, line=2, book="a"),
        put("books", isbn="a", title="A"),
    )
    content = world.content("x", 1, document_type="order")
    assert content is not None and content.missing == ["lines.book_row"]
    fields = world.fields("x", 1, document_type="order")
    assert fields is not None and sorted(map(str, fields["titles"])) == ["A", "None"]


def test_a_row_that_was_parked_is_listed_until_it_is_good_again(world: World) -> None:
    world.edit(
        put("campaigns", id=1, name="C", budget=5), put("groups", id=10, campaign_id=1), put("ads", id=100, group_id=10)
    )
    world.edit(put("campaigns", id=1, name="D", budget="plenty"))
    content, fields = world.content(100), world.fields(100)
    assert content is not None and content.missing == ["group.campaign"]
    assert fields is not None and fields["campaign"] == "C", "the last good version"
    world.edit(put("campaigns", id=1, name="D", budget=6))
    content, fields = world.content(100), world.fields(100)
    assert content is not None and content.missing is None
    assert fields is not None and fields["budget"] == 6


def test_a_collection_is_bounded_and_in_order(world: World) -> None:
    world.edit(put("ads", id=100), *(put("words", id=at, text=f"w{at}") for at in range(9)))
    world.edit(*(put("ad_words", ad_id=100, word_id=at, position=-at) for at in range(9)))
    fields = world.fields(100)
    assert fields is not None and fields["words"] == ["w8", "w7", "w6", "w5", "w4"]
    world.edit(gone("ad_words", 100, 8))
    fields = world.fields(100)
    assert fields is not None and fields["words"] == ["w7", "w6", "w5", "w4", "w3"]


def test_each_table_is_read_once_a_group_whatever_documents_share(world: World) -> None:
    world.edit(
        *(put("campaigns", id=at, name=str(at)) for at in range(3)),
        *(put("groups", id=at, campaign_id=at % 3) for at in range(50)),
        *(put("ads", id=at, group_id=at % 50) for at in range(400)),
    )
    world.commit(*(put("ads", id=at, group_id=at % 50, title="new") for at in range(400)))
    before = world.repo.reads, world.repo.scans
    world.deliver()
    # build records; ads in two groups. Groups and campaigns were read before, and nothing was committed to them since
    assert (world.repo.reads - before[0], world.repo.scans - before[1]) == (3, 1)
    fields = world.fields(399)
    assert fields is not None and fields["campaign"] == str((399 % 50) % 3)


def test_shared_rows_are_read_again_once_their_table_has_changed(world: World) -> None:
    world.edit(put("campaigns", id=1, name="A"), put("groups", id=1, campaign_id=1), put("ads", id=1, group_id=1))
    world.edit(put("campaigns", id=1, name="B"))
    fields = world.fields(1)
    assert fields is not None and fields["campaign"] == "B"
    world.edit(gone("groups", 1))
    content, fields = world.content(1), world.fields(1)
    assert fields is not None and fields["campaign"] is None
    assert content is not None and content.missing == ["group"]
