"""What `adsindex run` says while it runs: attached, bootstrapped n of m, built, live; and what goes wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argus.registry import Application
from ops.cli import render
from ops.wiring.process import Process
from repo.system import JobState


class Announcer:
    """One line when something has changed, or a JSON object a line; `look` is called a few times a second."""

    def __init__(self, process: Process, data: Path, as_json: bool) -> None:
        self._process, self._data, self._json = process, data, as_json
        self._said: dict[str, str] = {}
        self._errors: dict[str, int] = {}

    def started(self, sources: Mapping[str, str], application: Application) -> None:
        """The first line, before anything is read."""
        documents = ", ".join(f"{one.name} ({len(one.fields)} fields)" for one in application.flows.documents.values())
        admission = self._process.admission
        generation = "" if admission.first else f", flows generation {admission.number}"
        if admission.adopted and not admission.first:
            generation += " (changed: documents are rebuilt in the Low lane)"
        self._say("start", f"documents: {documents}; data: {self._data}{generation}", generation=admission.number)
        for name, url in sources.items():
            self._say(f"source {name}", f"source {name}: attaching {url}", source=name)

    def serving(self, address: str) -> None:
        """Where gRPC is served."""
        self._process.status.more["rpc"] = address
        self._say("rpc", f"rpc: {address}", address=address)

    def look(self) -> None:
        """Says what is new."""
        for source in self._process.sources:
            self._source(source.gateway.source)
        if self._process.built is not None:
            for job in self._process.built.parts.jobs.running():
                self._job(job)
            if self._process.built.parts.lifecycle.settled:
                self._say("live", "live: every edit is served as it comes")
        for one in self._process.loop.passes:
            for state in one.states:
                if state.errors > self._errors.get(state.step.name, 0):
                    self._errors[state.step.name] = state.errors
                    self._say(f"error {state.step.name}", f"{state.step.name}: {state.last_error}", error=True)

    def stopped(self) -> None:
        """The last line."""
        self._say("stop", "stopped: everything that was begun is finished; start again to go on")

    def _source(self, name: str) -> None:
        progress = next(one.gateway.progress for one in self._process.sources if one.gateway.source == name)
        if progress is None:
            return
        total = len(progress.tables)
        done = sum(table.bootstrapped for table in progress.tables.values())
        parked = {table: state.parked for table, state in progress.tables.items() if state.parked}
        self._say(f"source {name}", f"source {name}: bootstrapped {done} of {total} tables", source=name, tables=done)
        for table, reason in parked.items():
            self._say(f"parked {name} {table}", f"table {table} is parked: {reason}", error=True)

    def _job(self, job: JobState) -> None:
        thousands = job.done // 1000
        text = f"{job.kind} {job.target}: {thousands},000 done" if thousands else f"{job.kind} {job.target}: begun"
        self._say(f"job {job.id}", text, job=job.id)

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
