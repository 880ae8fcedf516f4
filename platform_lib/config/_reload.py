"""Take changed settings into a running process: all of them that may change, or none."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from platform_lib.clock import Clock, SystemClock
from platform_lib.config._fields import Leaf, leaves
from platform_lib.config._fingerprint import fingerprint
from platform_lib.config._load import Examined, examine, origins
from platform_lib.config._report import Mistake, render
from platform_lib.config._settings import Settings
from platform_lib.config._stack import place
from platform_lib.config._values import value_at
from platform_lib.config._watch import Identities, identities
from platform_lib.errors import ConfigError

S = TypeVar("S", bound=Settings)

_log = logging.getLogger("platform_lib.config")


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What became of a reload.

    Attributes:
        changed: the dotted names of the fields that have a new value now, secrets among them.
        refused: why the old settings stay, as a report without secrets; empty if nothing was wrong.
    """

    changed: tuple[str, ...] = ()
    refused: str = ""


class Reloader(Generic[S]):
    """Holds the current settings, and replaces them when what they were loaded from has changed.

    Everything is read and validated anew; then either all changes are taken in one step or none is. None is
    if anything is wrong, or if a field that is not `Reloadable` differs.
    A service takes it in by one line: ``service.worker("configuration", reloader.run)``.
    Errors: ValueError for *settings* that `load` did not make.
    """

    def __init__(self, settings: S, *, clock: Clock | None = None, interval_seconds: float = 5.0) -> None:
        sources = settings._trail.sources  # noqa: SLF001  # kept there for this class
        if sources is None:
            raise ValueError(
                f"{type(settings).__name__}: these settings were not loaded, so they cannot be read again; "
                "make them with load()"
            )
        self._sources = sources
        self._current = settings
        self._clock = clock or SystemClock()
        self._interval_seconds = interval_seconds
        self._subscribers: list[Callable[[S, S], None]] = []
        self._one_at_a_time = asyncio.Lock()
        self._refused = ""

    @property
    def current(self) -> S:
        """Return the settings that hold now; take them once for one piece of work, so that they fit."""
        return self._current

    def subscribe(self, subscriber: Callable[[S, S], None]) -> None:
        """Have *subscriber* called with the old and the new settings after each change, in the event loop."""
        self._subscribers.append(subscriber)

    async def check(self) -> None:
        """Raise `ConfigError` while the configuration is not the one in use; a health check.

        It is a warning: the process goes on with the settings it has, but would not start with the new ones.
        """
        if self._refused:
            raise ConfigError(self._refused)

    async def reload(self) -> Reloaded:
        """Read everything again, in a thread, and take what changed or refuse it as a whole."""
        async with self._one_at_a_time:
            examined = await asyncio.to_thread(examine, type(self._current), self._sources)
            return self._take(examined)

    async def run(self) -> None:
        """Reload on SIGHUP, and when a file that holds settings has changed; runs until cancelled.

        Every interval the identity of each file is compared: where a symbolic link leads, inode, size and
        time of change. So a mounted secret's swap of ``..data`` is seen, as is a file replaced by a rename.
        """
        hangup = asyncio.Event()
        seen: Identities | None = None  # what changed between loading and now is seen by the first look
        with _on_hangup(hangup):
            while True:
                asked = await self._wait(hangup)
                now = await asyncio.to_thread(identities, self._sources.files(type(self._current)))
                if asked or now != seen:
                    seen = now  # as it was before reading: a change meanwhile is seen the next time
                    await self.reload()

    async def _wait(self, hangup: asyncio.Event) -> bool:
        """Wait for one interval or a signal; tell whether it was a signal."""
        waiting = [
            asyncio.ensure_future(self._clock.sleep(self._interval_seconds)),
            asyncio.ensure_future(hangup.wait()),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        asked = hangup.is_set()
        hangup.clear()
        return asked

    def _take(self, examined: Examined[S]) -> Reloaded:
        old, new = self._current, examined.settings
        if new is None:
            return self._refuse(examined.report)
        changed = [leaf for leaf in leaves(type(old)) if value_at(old, leaf.path) != value_at(new, leaf.path)]
        fixed = [_cannot_change(leaf, new) for leaf in changed if not leaf.reloadable]
        if fixed:
            scrubbed = [mistake.scrubbed(examined.stack.scrub) for mistake in fixed]
            return self._refuse(render(type(old).__name__, scrubbed))
        self._refused = ""
        if not changed:
            return Reloaded()
        self._current = new
        names = tuple(leaf.dotted for leaf in changed)
        _log.info("configuration reloaded: %s; fingerprint %s", ", ".join(names), fingerprint(new))
        for subscriber in self._subscribers:
            try:
                subscriber(old, new)
            except Exception as error:  # noqa: BLE001  # one that fails must not keep the others from the new settings
                # Its text is left out: it may hold the new secret.
                self._refused = f"configuration reloaded, but a subscriber raised {type(error).__name__}"
                _log.error("%s", self._refused)
        return Reloaded(changed=names)

    def _refuse(self, report: str) -> Reloaded:
        if report != self._refused:  # said once, not with every look
            _log.error("configuration not reloaded, the old one stays: %s", report)
        self._refused = report
        return Reloaded(refused=report)


def _cannot_change(leaf: Leaf, new: Settings) -> Mistake:
    return Mistake(
        leaf.dotted,
        "has a new value, but cannot change while the process runs",
        "restart the process to take it, or put the old value back",
        (place(origins(new)[leaf.dotted]),),
    )


@contextlib.contextmanager
def _on_hangup(event: asyncio.Event) -> Iterator[None]:
    """Have SIGHUP set *event*; where signals cannot be had, as in a thread, it never is."""
    loop = asyncio.get_running_loop()
    try:
        before = signal.getsignal(signal.SIGHUP)
        loop.add_signal_handler(signal.SIGHUP, event.set)
    except (RuntimeError, ValueError):
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)
