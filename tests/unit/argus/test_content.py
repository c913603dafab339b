"""Documents are encoded as DocumentRecord has them, however much of them is shared and kept."""

from typing import Any

import pytest

from argus.api import field
from proto.record import decode_document, encode
from repo.system import CONTENT, document_table
from tests.support.argus_world import ADS_FLOWS, World, key_of, put
from tests.unit.argus.conftest import MakeWorld

WIDE = ADS_FLOWS + "".join(f'note_{number} = "group.campaign.note"\n' for number in range(20))


def content_of(world: World, ad: int) -> bytes:
    with world.repo.snapshot() as snapshot:
        (version,) = snapshot.read(document_table("ad"), CONTENT, [key_of(ad)])
    assert version is not None and version.value is not None
    return version.value


@pytest.mark.parametrize("flows", [ADS_FLOWS, WIDE])
def test_the_bytes_are_those_of_the_record(make_world: MakeWorld, flows: str) -> None:
    world = make_world(flows)
    world.edit(put("campaigns", id=1, name="Spring", note="n"), put("groups", id=10, campaign_id=1, status="ON"))
    world.edit(put("ads", id=1, group_id=10, title="a"), put("ads", id=2, title="b"), put("ads", id=3, group_id=77))
    for ad in (1, 2, 3):
        stored = content_of(world, ad)
        record = decode_document(stored)
        assert encode(record) == stored and len(record.values or ()) == len(world.schemas.names(record.schema))
    fields = world.fields(1)
    assert fields is not None and (fields["title"], fields["campaign"], fields["status"]) == ("a", "Spring", "ON")


def test_a_function_of_a_branch_is_called_once_for_all_its_documents(make_world: MakeWorld) -> None:
    calls: list[Any] = []

    @field(inputs={"name": "group.campaign.name", "status": "group.status"}, version=1)
    def label(name: str | None, status: str | None) -> str:
        calls.append(name)
        return f"{name} {status}"

    world = make_world(ADS_FLOWS + 'label = { handler = "label" }\n', [label])
    world.edit(put("campaigns", id=1, name="Spring"), put("groups", id=10, campaign_id=1, status="ON"))
    world.edit(*(put("ads", id=ad, group_id=10, title="a") for ad in range(20)))
    world.edit(*(put("ads", id=ad, group_id=10, title="b") for ad in range(20)))
    assert calls == ["Spring"]
    world.edit(put("campaigns", id=1, name="Summer"))
    assert calls == ["Spring", "Summer"] and (world.fields(7) or {})["label"] == "Summer ON"


def test_a_function_of_a_branch_that_fails_keeps_the_documents_of_that_branch_alone(make_world: MakeWorld) -> None:
    @field(inputs={"status": "group.status"}, version=1)
    def strict(status: str | None) -> str:
        if status == "BAD":
            raise ValueError(status)
        return status or ""

    world = make_world(ADS_FLOWS + 'strict = { handler = "strict" }\n', [strict])
    world.edit(put("groups", id=1, status="ON"), put("groups", id=2, status="ON"))
    world.edit(put("ads", id=1, group_id=1, title="a"), put("ads", id=2, group_id=2, title="a"))
    world.edit(put("groups", id=2, status="BAD"), put("ads", id=1, group_id=1, title="b"))
    assert [(world.fields(ad) or {})["title"] for ad in (1, 2)] == ["b", "a"]
    letter = world.letter("build", "ad/2")
    assert letter is not None and letter.column == "strict"
    world.edit(put("groups", id=2, status="OFF"))
    assert (world.fields(2) or {})["strict"] == "OFF"
