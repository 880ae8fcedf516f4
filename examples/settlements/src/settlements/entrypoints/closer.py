"""What runs by the clock: settlements whose day is over are closed."""

from dataclasses import dataclass

from platform_lib import Clock

from settlements.use_cases import UseCases


@dataclass(frozen=True, slots=True, kw_only=True)
class Closer:
    """Any number of replicas may run it: a settlement is locked by one of them at a time."""

    use_cases: UseCases
    clock: Clock
    interval_seconds: float
    batch: int

    async def run(self) -> None:
        """Close what is due, for ever."""
        while True:
            if await self.use_cases.close_due(limit=self.batch) < self.batch:
                await self.clock.sleep(self.interval_seconds)
