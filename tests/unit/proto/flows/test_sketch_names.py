"""Names that `adsindex init` gives to references."""

import pytest

from proto.flows.sketch import singular


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("ads", "ad"), ("categories", "category"), ("boxes", "box"), ("addresses", "address"),
        ("diagnoses", "diagnosis"), ("analyses", "analysis"), ("courses", "course"), ("statuses", "status"),
        ("status", "status"), ("analysis", "analysis"), ("class", "class"), ("menus", "menu"),
    ],
)  # fmt: skip
def test_the_name_of_one(many: str, one: str) -> None:
    assert singular(many) == one
