"""`adsindex bench` from end to end, at the smallest scale: every phase, its figures, and its checks."""

import json
from pathlib import Path

import pytest

from ops.bench import beside
from ops.bench.job import Options, run_job
from ops.demo.scale import SCALES
from ops.settings import load_settings
from tests.support.processes import adsindex


def test_every_phase_gives_its_figures_and_nothing_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    options = ("--scale", "tiny", "--trickle-seconds", 0.3, "--phases", "a,b,c,d,e,f,g", "--json", file)
    ran = adsindex("bench", "--job", "j4", *options)
    assert ran.code == 0, ran
    figures = json.loads(file.read_text())
    assert (figures["job"], figures["scale"], figures["documents"]) == ("j4", "tiny", 60)
    assert figures["lost"] == figures["torn"] == figures["duplicates"] == figures["mismatches"] == 0
    assert set(figures["trickle_ms"]) == {"p50", "p99", "max"} and figures["trickle_edits"] == 30
    assert set(figures["fanout_ms"]) == {"10", "20", "60"}
    assert {"capture", "apply", "build", "publish", "commit", "read"} <= set(figures["stages_us_per_doc"])
    assert figures["load_docs_per_s"] > 0 and figures["burst_docs_per_s"] > 0 and figures["burst_documents"] == 60
    assert figures["rss_mb"] > figures["reader_mb"] > 0 and figures["compared"] >= 60 and figures["looked_at"] > 100
    assert figures["crash"]["kills"] >= 3 and figures["crash"]["all_servable"] == 1
    assert figures["crash"]["edits"] == 300, "the editor was not held up"
    assert {"machine", "versions", "settings", "seed"} <= set(figures)
    assert "60 documents" in ran.output and "0 wrong, 0 lost, 0 torn, 0 twice" in ran.output
    assert "\x1b" not in ran.output


def test_the_refresh_goes_on_beside_the_trickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "RUNS", 1)
    options = Options("application", SCALES["tiny"], "h", rate=100.0, seconds=0.2, seed=1)
    figures = run_job(tmp_path, options, load_settings(tmp_path, {}).settings, lambda text: None)
    assert figures.good and figures.refresh_docs_per_s
    assert figures.high_p99_ms is not None and figures.high_p99_shift is not None
    alone, beside_it = figures.high_p99_ms["alone"][0], figures.high_p99_ms["beside"][0]
    assert figures.high_p99_shift == round(beside_it / alone - 1, 4)


def test_a_phase_that_there_is_not_is_refused() -> None:
    ran = adsindex("bench", "--phases", "a,x")
    assert ran.code == 2 and "there is no phase 'x'; there are: a, b, c" in ran.errors


def test_the_job_that_peers_do_too(tmp_path: Path) -> None:
    ran = adsindex("bench", "--job", "lean", "--scale", "tiny", "--trickle-seconds", 0.1, "--json", "-")
    figures = json.loads(ran.output)
    assert ran.code == 0 and figures["compared"] == 60 and figures["burst_documents"] == 60
    assert "fanout_ms" not in figures
