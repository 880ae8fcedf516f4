"""The sandbox as a resource: enter it and it serves, leave it and it is gone."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from platform_lib.clock import Clock, SystemClock
from platform_lib.errors import NotStarted
from platform_lib.ids import Ids, RandomIds
from platform_lib.sandbox.application import create_application
from platform_lib.sandbox.ledger import Ledger
from platform_lib.sandbox.processor import Processor
from platform_lib.sandbox.serving import Listener
from platform_lib.sandbox.settings import SandboxSettings
from platform_lib.sandbox.webhooks import WebhookSender


class Sandbox:
    """A payment processor on a real socket in the running loop; it leaves the process's signals alone.

    Attributes:
        settings: what it was made with.
        clock: its time; a `ManualClock` makes slow answers and webhook retries wait for the test.
        state: the ledger, for assertions.
        webhooks: what was sent and what came of it, for assertions.

    Raises:
        ConfigError: a webhook address without a usable webhook secret.

    Examples:
        >>> async def pay() -> str:
        ...     async with Sandbox(SandboxSettings()) as sandbox:
        ...         return sandbox.url
    """

    def __init__(
        self, settings: SandboxSettings, *, clock: Clock | None = None, ids: Ids | None = None
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        ids = ids or RandomIds(self.clock)
        self.state = Ledger(clock=self.clock, ids=ids)
        self.webhooks = WebhookSender(clock=self.clock, ids=ids, secret=settings.webhook_secret)
        self.webhooks.send_to(settings.webhook_url)
        self._url: str | None = None
        self._processor: Processor | None = None
        self._listener: Listener | None = None

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash; `NotStarted` is raised before the sandbox serves."""
        if self._url is None:
            raise NotStarted("sandbox")
        return self._url

    def send_webhooks_to(self, url: str | None) -> None:
        """Send webhooks to *url* from now on; for a receiver whose address is known only later.

        Raises:
            ConfigError: the settings hold no webhook secret.
        """
        self.webhooks.send_to(url)

    async def __aenter__(self) -> Self:
        """Listen and serve.

        Raises:
            OSError: the address cannot be listened on.
        """
        processor = Processor(
            ledger=self.state,
            webhooks=self.webhooks,
            clock=self.clock,
            slow_seconds=self.settings.slow,
        )
        listener = Listener(create_application(processor, self.settings.api_key))
        port = await listener.start(self.settings.host, self.settings.port)
        await self.webhooks.open()
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        self._url = processor.base_url = f"http://{host}:{port}"
        self._processor, self._listener = processor, listener
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop at once: slow answers are lost, waiting webhooks dropped; the state can still be read."""
        if self._processor is not None:
            self._processor.close()
        await self.webhooks.close()
        if self._listener is not None:
            await self._listener.stop()
        self._url = self._processor = self._listener = None
