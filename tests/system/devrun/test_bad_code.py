"""New code that can't be loaded, crashes, hangs, prints; and samples in which nothing is."""

import json
from pathlib import Path

import pytest

from tests.system.devrun.conftest import ADS, Devrun, Plant

BID = "fields/bid.py"
FIRST_LINE = "    bid = own_bid\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("from argus.api import field", "from argus.api import feild", "cannot import name 'feild'"),
        (FIRST_LINE, "    bid = = own_bid\n", "SyntaxError"),
        ("BILLING_EVENTS = {", "BILLING_EVENTS = NOTHING or {", "NameError: name 'NOTHING' is not defined"),
        ('"own_bid": "bid_micros"', '"own_bid": "bid_mikros"', "has no 'bid_mikros'. Hint: did you mean 'bid_micros'?"),
        ("def billing_event(", "def billing_events(", "no function of that name with @field"),
        ("import Mapping\n", "import Mapping\nimport os\nos._exit(7)\n", "the process ended with code 7"),
    ],
)
def test_code_that_cannot_be_loaded_is_told(old: str, new: str, said: str, devrun: Devrun, plant: Plant) -> None:
    ran = devrun("--handlers", plant(BID, old, new), "--sample", 5)
    assert ran.code == 2 and ran.output == ""
    assert said in ran.errors and "the new code can't be" in ran.errors


def test_the_running_code_is_no_new_code(devrun: Devrun, tmp_path: Path) -> None:
    ran = devrun("--handlers", ADS)
    assert ran.code == 2 and "is the running code itself" in ran.errors and "--running" in ran.errors
    ran = devrun("--handlers", tmp_path / "nowhere.py")
    assert ran.code == 2 and "there is no such file or folder" in ran.errors
    (tmp_path / "other.py").write_text("")
    ran = devrun("--handlers", tmp_path / "other.py")
    assert ran.code == 2 and "nothing in it is used" in ran.errors
    assert devrun().code == 2


def test_an_endless_loop_costs_its_documents_and_no_more(devrun: Devrun, plant: Plant) -> None:
    loop = "    bid = own_bid\n    while own_bid and own_bid % 30 == 0:\n        pass\n"
    ran = devrun("--handlers", plant(BID, FIRST_LINE, loop), "--where", "bid_micros is not null", "--timeout", 0.6)
    assert ran.code == 1 and "given up: 3 documents crashed it or took longer than 0.6 s" in ran.screen()
    assert "effective_bid_micros" in ran.screen() and "TimeOut: did not end within 0.6 s at bid.py:38" in ran.screen()
    assert "in effective_bid_micros" in ran.output  # the trace of the loop


def test_a_crash_costs_one_document_and_prints_go_nowhere(devrun: Devrun, plant: Plant) -> None:
    ids = ("--ids", "1", "2", "3", "4")
    named = '        "own_bid": "bid_micros",\n'
    crash = '    print("chatter")\n    if ad == 2:\n        __import__("os").abort()\n'
    planted = plant(
        *(BID, FIRST_LINE, FIRST_LINE + crash),
        *(BID, named, named + '        "ad": "id",\n'),
        *(BID, "    own_bid: int", "    ad: int,\n    own_bid: int"),
    )
    ran = devrun("--handlers", planted, *ids, "--json", "-")
    report = json.loads(ran.output)  # nothing else was printed
    assert ran.code == 0 and report["types"][0]["lost_after"] == 1 and report["types"][0]["compared"] == 4
    (error,) = report["errors"]
    assert (error["field"], error["kind"], error["ids"]) == ("effective_bid_micros", "Crash", ["ad/2"])
    ran = devrun("--handlers", planted, *ids, "--max-errors", "0")
    assert ran.code == 1 and "--max-errors: effective_bid_micros fails with the new code on 1 of 4" in ran.output


def test_an_unknown_id_or_an_empty_sample_is_told(devrun: Devrun, plant: Plant) -> None:
    ran = devrun("--handlers", plant(), "--ids", "1", "ad/404404")
    assert ran.code == 3 and "there is no document ad/404404" in ran.errors
    ran = devrun("--handlers", plant(), "--where", "id < 0")
    assert ran.code == 3 and "no document meets the condition" in ran.errors
    ran = devrun("--handlers", plant(), "--where", "idd < 0")
    assert ran.code == 2 and "idd" in ran.errors
    assert devrun("--handlers", plant(), "--sample", 0).code == 2
    assert devrun("--handlers", plant(), "--explain", "404404").code == 3
