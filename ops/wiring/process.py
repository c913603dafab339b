"""A process of the embedded system: admits its flows, puts the passes of its roles together, runs them in one loop."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from argus.generations import Admission
from argus.registry import Application
from ops.engine.back_pressure import Gate
from ops.engine.loop import Loop, Periodic
from ops.engine.passes import Pass
from ops.engine.stage import Stage
from ops.engine.status_file import StatusFile
from ops.engine.step import FunctionStep, Step
from ops.roles import ROLES
from ops.stale.policy import Policy
from ops.topics import ARGUS
from ops.wiring.admission import Patience, let_in, refuse
from ops.wiring.garbage import GarbageWork
from ops.wiring.roles import Built, argus_role, pass_of, updater_stage
from ops.wiring.signals import signal_statuses
from ops.wiring.sources import Source, gateway_role
from ops.wiring.stale import row_healing, stale_policy
from ops.wiring.store import Store
from proto.lane import Lane
from proto.ports.clock import Clock
from repo.system import specs

_POLICY_EVERY_MS = 1000.0


@dataclass(slots=True)
class Process:
    """What `adsindex run` runs."""

    store: Store
    application: Application
    admission: Admission
    loop: Loop
    sources: list[Source]
    built: Built | None
    status: StatusFile
    stages: dict[str, Stage]

    def close(self) -> None:
        """After the loop has ended."""
        if self.built is not None:
            with suppress(OSError):  # a full disk: nobody will know when the newest became readable
                self.built.served.write()
        self.status.remove()
        self.store.close()


def assemble_process(
    store: Store,
    application: Application,
    sources: Mapping[str, str],
    roles: Sequence[str] = ROLES,
    extra: Sequence[Pass] = (),
    patience: Patience = refuse,
    inlets: Sequence[Step] = (),
) -> Process:
    """sources: name -> URL, all of them, whichever process captures them. extra: passes of the caller, run behind
    that of the edits. patience: see ops.wiring.admission. inlets: steps that bring units, run before all others.

    Raises SettingsError when these flows are not admitted.
    """
    admission = let_in(store, application, "+".join(roles), patience)
    store.repo.declare(specs(application.flows, tuple(application.handlers)))  # whichever role is the first to run
    built = argus_role(store, application, admission, tuple(sources)) if "argus" in roles else None
    applying = updater_stage(store, application) if "updater" in roles else None
    stages = {stage.name: stage for stage in (applying, *(built.stages if built else ())) if stage is not None}
    gate = Gate(list(stages.values()), Lane.HIGH, store.settings.engine.backlog_max) if applying and built else None
    captured: list[Source] = []
    if "gateway" in roles:
        captured = gateway_role(store, application.flows, sources, gate)
    edits: list[Step] = [*inlets, *(source.step for source in captured), *([applying] if applying else [])]
    edits += built.documents if built else []
    passes = [pass_of(store, "edits", edits), *extra]
    passes += [pass_of(store, "jobs", built.jobs)] if built else []
    passes += [pass_of(store, "heal", row_healing(store, application.flows, captured))] if captured else []
    garbage = GarbageWork(store, application.flows)
    cleaning = FunctionStep("retention", garbage.step, store.clock, store.settings.engine)
    passes += [pass_of(store, "retention", [cleaning])]
    status = StatusFile(store.folder, "+".join(roles), passes, store.clock)
    status.write()  # the loop writes it at the end of a turn, and the first may never end
    policy = stale_policy(store, stages)
    loop = Loop(
        passes,
        store.positions,
        store.bell,
        store.traffic,
        store.clock,
        store.settings.engine,
        [
            *_housekeeping(store, stages, captured, built),
            *([Periodic(policy.look, _POLICY_EVERY_MS)] if policy.on else []),
            Periodic(lambda: _tell(status, captured, built, policy, store.clock), 500.0),
        ],
    )
    return Process(store, application, admission, loop, captured, built, status, stages)


def _housekeeping(
    store: Store, stages: Mapping[str, Stage], captured: Sequence[Source], built: Built | None
) -> list[Periodic]:
    def pauses() -> None:
        store.pauses.apply((name, stage.lanes) for name, stage in stages.items())
        store.orders.apply(stage.consumer for stage in stages.values())
        if built is not None:
            built.parts.jobs.paused = store.pauses.of(ARGUS)

    def served() -> None:  # apart from the status, which must come through when this does not
        if built is not None:
            built.served.write()

    def trim() -> None:
        for source in captured:
            source.gateway.trim()

    return [
        Periodic(pauses, 200.0),
        Periodic(trim, 500.0),
        Periodic(served, 500.0),
        Periodic(store.environment.check_readers, 60_000.0),
        Periodic(store.bell.restore, 5_000.0),
    ]


def _tell(status: StatusFile, captured: Sequence[Source], built: Built | None, policy: Policy, clock: Clock) -> None:
    failing = status.commits_fail() is not None
    for source in captured:
        progress, name = source.gateway.progress, f"source {source.gateway.source}"
        if failing:  # what was undone has left no progress to ask
            status.more[name] = "waits: commits fail"
        elif progress is not None:
            left = len(progress.tasks)
            status.more[name] = f"bootstrap: {left} tables left" if left else "live"
    if built is not None:
        status.more["watermark"] = built.watermark.value
        status.signals = signal_statuses(built.parts.pulls, clock)
    status.refusals = list(policy.refusals.values())
    status.write()
