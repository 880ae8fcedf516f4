"""Runs over a fleet: what is known of all services, and upgrades in waves with a gate after each."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from paypath.scaffold.fleet.errors import BadFleet, FleetError, FleetStopped
from paypath.scaffold.fleet.journal import Journal, begin_journal, holding_run, open_journal, write_whole
from paypath.scaffold.fleet.orders import Order, wave_sizes
from paypath.scaffold.fleet.outcomes import Outcome, State
from paypath.scaffold.fleet.pulls import pull_request
from paypath.scaffold.fleet.stopping import Stop
from paypath.scaffold.fleet.targets import Target
from paypath.scaffold.fleet.work import Task, Workplace, forecast, look, upgrade
from paypath.scaffold.upgrade.cachefolder import cache_folder, workroom
from platform_lib.clock import Clock, SystemClock

_tried = {State.UPGRADED, State.RED, State.FAILED}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: the newest outcome, how many there are, and of how many services.

    Attributes:
        outcome: the newest.
        done: how many services have one.
        services: how many services there are.
        wave: the number of the wave; 0 where there are none.
    """

    outcome: Outcome
    done: int
    services: int
    wave: int = 0


Said = Callable[[Progress], None]


def fleet_status(
    targets: Sequence[Target],
    executor: Executor,
    order: Order | None = None,
    said: Said = lambda _: None,
    stop: Stop | None = None,
) -> list[Outcome]:
    """Return each service's kind, version, drift and library skew, in the order of *targets*.

    Nothing is written outside the cache folder; services with a URL are cloned there and removed again.

    Raises:
        FleetStopped: *stop* was requested.
        FleetError: a worker process died.
    """
    return _surveyed(_Run(look, executor, said, stop or Stop()), targets, order or Order())


def fleet_plan(
    targets: Sequence[Target],
    executor: Executor,
    order: Order | None = None,
    said: Said = lambda _: None,
    stop: Stop | None = None,
) -> list[Outcome]:
    """Return what an upgrade of each service would do, in the order of *targets*; as `fleet_status` else."""
    return _surveyed(_Run(forecast, executor, said, stop or Stop()), targets, order or Order())


def apply_fleet(  # keyword-only options of a composition function
    folder: Path,
    targets: Sequence[Target],
    executor: Executor,
    order: Order | None = None,
    *,
    clock: Clock | None = None,
    said: Said = lambda _: None,
    stop: Stop | None = None,
) -> Journal:
    """Upgrade the services on branches, wave by wave; return the journal, which `resume_fleet` goes on from.

    *folder* gets the journal, the mirrors of templates, the clones of services with a URL, and for each
    upgrade the text of a pull request. Whatever ends this process, each service is whole: upgraded on its
    branch, or as it was.

    Raises:
        BadFleet: *folder* holds a run already, or the waves of *order* cannot be read.
        FleetStopped: *stop* was requested; resume.
        FleetError: a worker process died; resume.
    """
    order = order or Order()
    _sizes(order, len(targets))
    with holding_run(folder):
        begun = (clock or SystemClock()).now().isoformat(timespec="seconds")
        journal = begin_journal(folder, order, tuple(targets), begun)
        _go(journal, _Run(upgrade, executor, said, stop or Stop()))
    return journal


def resume_fleet(
    folder: Path,
    executor: Executor,
    *,
    given: Mapping[str, Any] | None = None,
    go_on: bool = False,
    said: Said = lambda _: None,
    stop: Stop | None = None,
) -> Journal:
    """Go on with the run in *folder* where it was killed, to the end that it would have had.

    Args:
        folder: the run's folder.
        executor: does the work; another kind, or another number of processes, than before will do.
        given: options asked anew, by the names of `Order`; one that differs is refused.
        go_on: pass the gate that stopped the run.
        said: gets each outcome.
        stop: ends the run once the services in work are done.

    Raises:
        BadFleet: there is no run, *given* asks something else, or no gate stopped it.
        FleetStopped: *stop* was requested; resume.
        FleetError: another process is at work on the run, or a worker process died.
    """
    if not folder.is_dir():
        raise BadFleet(f"{folder}: holds no run; name the folder that `paypath fleet apply` said")
    with holding_run(folder):
        journal = open_journal(folder, mend=True)
        if differences := journal.order.differences(given or {}):
            raise BadFleet(
                f"{folder}: was begun with other options ({'; '.join(differences)}); leave them out, "
                "or begin a new run"
            )
        if go_on:
            stopped = gate_reached(journal)
            if stopped is None:
                raise BadFleet(f"{folder}: no gate stopped this run; leave out --go-on")
            journal.pass_gate(stopped)
        _go(journal, _Run(upgrade, executor, said, stop or Stop()))
    return journal


def gate_reached(journal: Journal) -> int | None:
    """Return the number of the wave after which a gate stopped the run; None if none did."""
    for wave, batch in _batches(journal):
        if any(target.number not in journal.outcomes for target in batch):
            return None
        if not batch:
            return wave
    return None


@dataclass(frozen=True, slots=True)
class _Run:
    """The work on a service, who does it, who hears of it, and who may end it."""

    work: Callable[[Task], Outcome]
    executor: Executor
    said: Said
    stop: Stop

    def outcomes(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        arrived: SimpleQueue[Future[Outcome] | None] = SimpleQueue()  # its put is safe in a signal handler
        try:
            with self.stop.waking(lambda: arrived.put(None)):
                futures = [self.executor.submit(self.work, task) for task in tasks]
                for future in futures:
                    future.add_done_callback(arrived.put)
                try:
                    for _ in futures:
                        done = None if self.stop.requested else arrived.get()
                        if done is None:
                            raise FleetStopped("the run was asked to end before all services were done")
                        yield done.result()
                finally:
                    for future in futures:
                        future.cancel()
        except FleetStopped:
            raise
        except Exception as error:  # faults of the work itself are outcomes
            raise FleetError(
                f"a worker process died ({type(error).__name__}: {error}); go on with "
                "`paypath fleet resume`, perhaps with fewer --jobs"
            ) from error


def _go(journal: Journal, run: _Run) -> None:
    workplace = Workplace(cache_folder(), journal.folder.resolve())
    for wave, batch in _batches(journal):
        if not batch:
            journal.end("stopped")
            return
        tasks = [
            Task(target, journal.order, workplace)
            for target in batch
            if target.number not in journal.outcomes
        ]
        for outcome in run.outcomes(tasks):
            if outcome.state in {State.UPGRADED, State.RED}:
                label = Target(outcome.number, outcome.place).label
                write_whole(journal.folder / "pull-requests" / f"{label}.md", pull_request(outcome))
            journal.done(outcome)
            run.said(Progress(outcome, len(journal.outcomes), len(journal.targets), wave))
    journal.end("done")


def _batches(journal: Journal) -> Iterator[tuple[int, list[Target]]]:
    """Give batches of services with the number of their wave; the last is empty if a gate is closed.

    It depends on outcomes alone, so a resumed run goes through the same waves. A service that needs nothing,
    or somebody's decision, proves nothing about the upgrade: the next one is taken into its wave too.
    """
    waiting = deque(journal.targets)
    seen: list[Target] = []
    forgiven: Counter[State] = Counter()
    for wave, size in enumerate(_sizes(journal.order, len(journal.targets)), start=1):
        tried = 0
        while waiting and tried < size:
            batch = [waiting.popleft() for _ in range(min(size - tried, len(waiting)))]
            yield wave, batch
            tried += sum(journal.outcomes[target.number].state in _tried for target in batch)
            seen += batch
        counts = Counter(journal.outcomes[target.number].state for target in seen)
        if wave in journal.passed:
            forgiven = counts
        new = counts - forgiven
        if waiting and (new[State.FAILED] > journal.order.max_failed or new[State.RED]):
            yield wave, []
            return


def _sizes(order: Order, services: int) -> list[int]:
    if order.waves.rpartition(",")[2].strip() != "all":
        raise BadFleet(f"--waves: {order.waves} leaves services out; let the last wave be all")
    return wave_sizes(order.waves, services)


def _surveyed(run: _Run, targets: Sequence[Target], order: Order) -> list[Outcome]:
    cache = cache_folder()
    found: dict[int, Outcome] = {}
    with workroom(cache) as room:
        tasks = [Task(target, order, Workplace(cache, room)) for target in targets]
        for outcome in run.outcomes(tasks):
            found[outcome.number] = outcome
            run.said(Progress(outcome, len(found), len(tasks)))
    return [found[target.number] for target in targets]
