"""What `adsindex run` says while it runs: attached, bootstrapped n of m, built, live; and what goes wrong."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from argus.registry import Application
from gateway.progress import Progress
from ops.cli import render
from ops.engine.liveness import LiveProcess
from ops.engine.status import commits_fail
from ops.wiring.adoption import Adoption
from ops.wiring.process import Process
from repo.system import JobState

_STAND_BY_S = 0.1


class StandBy:
    """The patience of `run` while processes of older flows are at work (ops.wiring.admission)."""

    def __init__(self, as_json: bool) -> None:
        self._json, self._said = as_json, ""

    def __call__(self, older: Sequence[LiveProcess]) -> None:
        named = ", ".join(f"{one.role} ({one.pid})" for one in older)
        text = f"standing by: these flows take over when the processes of the older ones have ended: {named}"
        if text != self._said:
            self._said = text
            if self._json:
                render.print_json({"event": "standby", "text": text})
            else:
                render.print_line(text)
        time.sleep(_STAND_BY_S)


class Announcer:
    """One line when something has changed, or a JSON object a line; `look` is called a few times a second."""

    def __init__(self, process: Process, data: Path, as_json: bool, adoption: Adoption) -> None:
        self._process, self._data, self._json, self._adoption = process, data, as_json, adoption
        self._said: dict[str, str] = {}
        self._errors: dict[str, int] = {}
        self._parked: set[tuple[str, str]] = set()
        self._commits_fail = False

    def started(self, sources: Mapping[str, str], application: Application) -> None:
        """The first line, before anything is read."""
        documents = ", ".join(f"{one.name} ({len(one.fields)} fields)" for one in application.flows.documents.values())
        admission = self._process.admission
        generation = "" if admission.first else f", flows generation {admission.number}"
        if admission.adopted and not admission.first:
            generation += f" (changed: {_rebuilt(admission.number, admission.since)})"
        self._say("start", f"documents: {documents}; data: {self._data}{generation}", generation=admission.number)
        for source in self._process.sources:
            name = source.gateway.source
            known = source.gateway.stored_progress()
            if known is not None and all(table.bootstrapped or table.parked for table in known.tables.values()):
                self._said[f"source {name}"] = _bootstrapped(name, known)  # nobody needs to hear it again
                self._say(f"source {name} url", f"source {name}: going on with {sources[name]}", source=name)
            else:
                self._say(f"source {name} url", f"source {name}: attaching {sources[name]}", source=name)

    def serving(self, address: str) -> None:
        """Where gRPC is served."""
        self._process.status.more["rpc"] = address
        self._say("rpc", f"rpc: {address}", address=address)

    def look(self) -> None:
        """Says what is new."""
        self._commits()
        for source in self._process.sources:
            if source.gateway.progress is not None:
                self._source(source.gateway.source, source.gateway.progress)
        if self._process.built is not None:
            jobs = self._process.built.parts.jobs
            for job in jobs.running():
                self._job(job)
            while jobs.ended:
                self._job_ended(jobs.ended.popleft())
            if self._process.built.parts.lifecycle.settled and not self._commits_fail:
                self._say("live", "live: every edit is served as it comes")
        for one in self._process.loop.passes:
            for state in one.states:
                if state.errors > self._errors.get(state.step.name, 0):
                    self._errors[state.step.name] = state.errors
                    self._say(f"error {state.step.name}", f"{state.step.name}: {state.last_error}", error=True)
        if self._adoption.problem:
            self._say("flows", self._adoption.problem, error=True)

    def stopped(self) -> None:
        """The last line."""
        if self._adoption.adopting:
            text = f"flows generation {self._adoption.adopting} was applied: this process starts again with it"
            self._say("adopt", text, generation=self._adoption.adopting)
        elif self._adoption.replaced:
            self._say("stop", f"stopped: {self._adoption.replaced}", error=True)
        else:
            self._say("stop", "stopped: everything that was begun is finished; start again to go on")

    def _commits(self) -> None:
        failing = self._process.status.commits_fail()
        if failing is not None and not self._commits_fail:
            self._say("commits", commits_fail(failing.last_error, failing.failing_since_ms), error=True)
        elif failing is None and self._commits_fail:
            self._say("commits", "commits work again: what has waited gets through now")
        self._commits_fail = failing is not None

    def _source(self, name: str, progress: Progress) -> None:
        done = sum(table.bootstrapped for table in progress.tables.values())
        self._say(f"source {name}", _bootstrapped(name, progress), source=name, tables=done)
        for table, state in progress.tables.items():
            if state.parked:
                self._parked.add((name, table))
                self._say(f"parked {name} {table}", f"table {table} is parked: {state.parked}", error=True)
            elif (name, table) in self._parked:
                self._parked.discard((name, table))
                self._say(f"parked {name} {table}", f"table {table} is back: it is read again", table=table)

    def _job(self, job: JobState) -> None:
        thousands = job.done // 1000
        text = f"{job.kind} {job.target}: {thousands},000 done" if thousands else f"{job.kind} {job.target}: begun"
        self._say(f"job {job.id}", text, job=job.id)

    def _job_ended(self, job: JobState) -> None:
        seconds = max(job.finished_ms - job.started_ms, 0.0) / 1000
        text = f"{job.kind} {job.target}: {job.state}, {job.done:,} in {seconds:.1f} s"
        self._say(f"job {job.id}", text + (f" ({job.error})" if job.error else ""), job=job.id)

    def _say(self, about: str, text: str, **more: Any) -> None:
        if self._said.get(about) == text:
            return
        self._said[about] = text
        if self._json:
            render.print_json({"event": about, "text": text, **more})
        elif more.get("error"):
            render.print_problem(text)
        else:
            render.print_line(text)


def _rebuilt(number: int, since: Mapping[str, int]) -> str:
    """What the generation has changed, and so brings up to date."""
    names = [part.removeprefix("document ") for part, changed in since.items() if changed == number]
    documents = [name for name in names if " " not in name]
    if not documents:
        return "no document type is rebuilt"
    return f"documents of type {', '.join(documents)} are rebuilt in the Low lane"


def _bootstrapped(name: str, progress: Progress) -> str:
    tables = progress.tables.values()
    parked = sum(bool(table.parked) for table in tables)
    done = sum(table.bootstrapped and not table.parked for table in tables)
    return f"source {name}: bootstrapped {done} of {len(tables)} tables" + (f", {parked} parked" if parked else "")
