"""What a fetcher returned, looked at: rubbish, wrong types, too much, half of the batch."""

from decimal import Decimal
from typing import Any

import pytest

from argus.api import Reading
from argus.signals.answers import checked
from argus.signals.port import Answer
from proto.errors import InvalidMessageError
from proto.flows.model import Signal

SIGNAL = Signal(
    "performance", "m:f", "pin_id", {"ctr": "float", "cost": "decimal", "tags": "json"}, 60.0, 60.0, value_bytes_max=100
)


def refused(reading: Any) -> str:
    answers, reasons = checked(SIGNAL, [7], {7: reading})
    assert not answers
    return reasons[7]


def test_good_answers_are_stored_values_in_the_order_of_the_fields() -> None:
    said = {7: Reading({"tags": "sale", "ctr": 1, "cost": Decimal("1.50"), "else": object()}, 3), 8: None, 9: "ignored"}
    answers, reasons = checked(SIGNAL, [7, 8], said)
    assert answers == {7: Answer(3, (1.0, "1.50", "sale")), 8: Answer(0, None)}
    assert not reasons


def test_half_of_the_batch_is_half_refused() -> None:
    answers, reasons = checked(SIGNAL, [7, 8], {7: Reading({"ctr": 0.5}, 1)})
    assert answers == {7: Answer(1, (0.5, None, None))}
    assert reasons == {8: "there was no answer for key 8"}


@pytest.mark.parametrize("returned", [None, [1, 2], "rubbish", 5])
def test_no_mapping_is_no_answer_at_all(returned: Any) -> None:
    with pytest.raises(InvalidMessageError, match="not a mapping"):
        checked(SIGNAL, [7], returned)


def test_a_wrong_type_names_key_and_field() -> None:
    assert refused(Reading({"ctr": "high"}, 1)) == "key 7: field 'ctr': 'high' (str) is not a finite number"
    assert "field 'tags'" in refused(Reading({"tags": object()}, 1))
    assert "is not a Reading" in refused({"ctr": 0.5})
    assert "is not a Reading" in refused(Reading([0.5], 1))  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [0, -1, None, "3", True, 2**63])
def test_a_version_is_a_whole_number_above_0(version: Any) -> None:
    assert "is not a whole number above 0" in refused(Reading({"ctr": 0.5}, version))


def test_a_value_that_is_too_large_is_refused() -> None:
    assert "above value_bytes_max" in refused(Reading({"tags": "x" * 10_000_000}, 1))
