"""What runs by the clock: the sweeper, which asks the provider about attempts without a final outcome."""

import asyncio
import logging
from dataclasses import dataclass

from platform_lib import Clock
from platform_lib.telemetry import remote_parent

from {{ cookiecutter.package }}.ports import Store, Unsettled
from {{ cookiecutter.package }}.use_cases import UseCases

log = logging.getLogger(__name__)

# A trace that is not recorded: looking for due attempts, time and again, is of no interest to anybody.
UNSAMPLED = f"00-{1:032x}-{1:016x}-00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """Any number of replicas may run it: an attempt is leased by one of them at a time."""

    store: Store
    use_cases: UseCases
    clock: Clock
    interval_seconds: float
    lease_seconds: float
    batch: int

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            if await self.sweep() < self.batch:
                await self.clock.sleep(self.interval_seconds)

    async def sweep(self) -> int:
        """Resolve one batch of due attempts; return how many there were."""
        with remote_parent(UNSAMPLED):
            due = await self.store.lease_due(
                self.clock.now(), lease_seconds=self.lease_seconds, limit=self.batch
            )
        await asyncio.gather(*(self._resolve(unsettled) for unsettled in due))
        return len(due)

    async def _resolve(self, unsettled: Unsettled) -> None:
        try:
            await self.use_cases.resolve(unsettled)
        except Exception:
            # One attempt that cannot be resolved must not stop the others; its lease brings it back.
            log.exception("attempt %s: not resolved, asked again later", unsettled.attempt_id)
