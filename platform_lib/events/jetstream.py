"""NATS JetStream as the broker: a connection that outlives the server, a stream, publishing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Self

from nats import errors as nats_errors
from nats.aio.client import Client
from nats.js import JetStreamContext, api
from nats.js import errors as js_errors
from pydantic import Field

from platform_lib.clock import Clock, SystemClock
from platform_lib.config import Dsn, Seconds, Section
from platform_lib.errors import CallFailed, ConfigError, NotSent, NotStarted, UnknownOutcome
from platform_lib.events._messaging import Consumption, broker_attributes, publishing
from platform_lib.events.publisher import EventRejected
from platform_lib.events.subscription import Deliveries, EventHandler, GiveUp, Subscription
from platform_lib.telemetry import current_traceparent

_log = logging.getLogger(__name__)

_PEER = "nats"
_RECONNECT_WAIT_SECONDS = 0.25
_UNAVAILABLE = 503
# The server's codes for a message, or its headers, beyond what the stream takes. Any other refusal is about
# the stream or the server, and waiting may help.
_TOO_LARGE = frozenset({10054, 10035})


class _StreamMismatch(NotSent):
    """The stream exists and does not take this service's subjects."""

    def __init__(self, message: str) -> None:
        super().__init__(_PEER, "stream_mismatch")
        self.message = message


class NatsSettings(Section):
    """Where the broker is, and the stream that this service's events go to."""

    url: Dsn = Field(default=Dsn("nats://127.0.0.1:4222"), description="Address of the NATS server.")
    stream: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,64}$", description="JetStream stream; created if it does not exist."
    )
    subject_prefix: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)?$",
        description="What every subject begins with; empty means the stream's name in lower case.",
    )
    connect_timeout: Seconds = Field(default=2.0, gt=0, description="How long start-up waits for the broker.")
    publish_timeout: Seconds = Field(
        default=5.0, gt=0, description="How long a publish waits for the broker."
    )
    duplicate_window: Seconds = Field(
        default=120.0, gt=0, description="How long the broker drops repeated message ids, on a new stream."
    )
    retention: Seconds = Field(
        default=604_800.0, gt=0, description="How long a new stream keeps its messages."
    )
    replicas: int = Field(default=1, ge=1, le=5, description="Servers that hold a copy, on a new stream.")

    @property
    def prefix(self) -> str:
        """What every subject begins with, without the dot."""
        return self.subject_prefix or self.stream.lower()


def nats(settings: NatsSettings, *, clock: Clock | None = None) -> Nats:
    """Make the broker that *settings* describe; it connects when the service opens it."""
    return Nats(settings, clock=clock or SystemClock())


class Nats:
    """A connection to NATS that is made anew whenever it is lost.

    Guarantee: opening it needs no broker. Payments are accepted without one, and their events wait in the
    outbox; so a broker that is away at start-up is a warning and a failing `check`, never a failed start.
    Errors: `ConfigError` on opening, if the address or the stream cannot be used as they are.
    """

    def __init__(self, settings: NatsSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._client: Client | None = None
        self._connected = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._closing = False
        self._stream_lock = asyncio.Lock()
        self._stream_ready = False
        self._broker = broker_attributes(settings.url.reveal())

    async def __aenter__(self) -> Self:
        self._closing = False
        self._connected.clear()
        self._keeping = asyncio.create_task(self._keep_connected(), name="nats-connection")
        try:
            await self._wait_for_broker(self._keeping)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def check(self) -> None:
        """Return when the broker answers.

        Errors: `CallFailed` when it does not.
        """
        jetstream = await self.jetstream()
        try:
            await jetstream.stream_info(self._settings.stream)
        except (nats_errors.Error, TimeoutError) as error:
            raise _call_failed(error) from error

    async def publish(
        self, subject: str, payload: bytes, *, message_id: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Publish under the settings' prefix and return once the stream has stored the message.

        The producer span's context travels in the header ``traceparent``.
        Guarantee: as `Publisher.publish` says; the window is the stream's `duplicate_window`.
        Errors: `NotSent` without a connection or a stream; `EventRejected` when the stream refuses the event;
        `UnknownOutcome` when no answer came.
        """
        full_subject = f"{self._settings.prefix}.{subject}"
        with publishing(self._broker, full_subject, message_id=message_id, size=len(payload)):
            all_headers = {**(headers or {}), api.Header.MSG_ID: message_id}
            if traceparent := current_traceparent():
                all_headers["traceparent"] = traceparent
            jetstream = await self.jetstream()
            try:
                await jetstream.publish(
                    full_subject,
                    payload,
                    timeout=self._settings.publish_timeout,
                    stream=self._settings.stream,
                    headers=all_headers,
                )
            except (
                nats_errors.MaxPayloadError,
                nats_errors.BadSubjectError,
                nats_errors.BadHeaderError,
            ) as error:
                raise EventRejected(full_subject, type(error).__name__) from error
            except js_errors.NoStreamResponseError as error:
                # Deleted by somebody, or lost with the server's disk: created again before the next publish.
                self._stream_ready = False
                raise NotSent(_PEER, "no_stream") from error
            except js_errors.APIError as error:
                if error.err_code in _TOO_LARGE:
                    raise EventRejected(full_subject, "too large") from error
                raise _call_failed(error) from error
            except (nats_errors.Error, TimeoutError) as error:
                raise _call_failed(error) from error

    def subscribe(
        self,
        durable: str,
        handler: EventHandler,
        *,
        subject: str = ">",
        ack_wait: float = 30.0,
        max_deliver: int = 10,
        give_up: GiveUp | None = None,
    ) -> Callable[[], Awaitable[None]]:
        """Return a worker that gives every event under *subject* to *handler*, one at a time.

        Replicas with the same *durable* share the events. An event is delivered again until the handler
        returns within *ack_wait* seconds, at most *max_deliver* times; so guard its effect with an `Inbox`.
        After that it is handed to *give_up*, such as one that adds it to the consumer's `DeadLetters`; while
        that fails, the event stays and both are tried again. Without *give_up* it is only logged.
        A message that is no event is logged and never delivered again.
        """
        subscription = Subscription(
            self.jetstream,
            stream=self._settings.stream,
            consumption=Consumption(self._broker, durable),
            subject=f"{self._settings.prefix}.{subject}",
            handler=handler,
            clock=self._clock,
            deliveries=Deliveries(ack_wait, max_deliver, give_up),
        )
        return subscription.run

    async def jetstream(self) -> JetStreamContext:
        """Return the driver's own JetStream context, for what this class does not offer; the stream exists.

        Errors: `NotSent` while there is no connection, `NotStarted` before the service opened it.
        """
        if self._keeping is None:
            raise NotStarted(_PEER)
        client = self._client
        if client is None or not client.is_connected:
            raise NotSent(_PEER, "not_connected")
        jetstream = client.jetstream(timeout=self._settings.publish_timeout)
        if not self._stream_ready:
            async with self._stream_lock:
                if not self._stream_ready:
                    try:
                        await self._ensure_stream(jetstream)
                    except (nats_errors.Error, TimeoutError) as error:
                        raise _call_failed(error) from error
        return jetstream

    async def _wait_for_broker(self, keeping: asyncio.Task[None]) -> None:
        """Return when the stream is there, or when start-up has waited long enough for it."""
        connected = asyncio.create_task(self._connected.wait())
        try:
            await asyncio.wait(
                {connected, keeping},
                timeout=self._settings.connect_timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            connected.cancel()
        if keeping.done():  # it ends by itself only when the address cannot be read
            keeping.result()
        try:
            await self.jetstream()
        except _StreamMismatch as error:
            raise ConfigError(error.message) from None
        except CallFailed as error:
            _log.warning("nats: not reachable at start-up (%s); events wait until it is", error.reason)

    async def _close(self) -> None:
        self._closing = True
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _ensure_stream(self, jetstream: JetStreamContext) -> None:
        wanted = f"{self._settings.prefix}.>"
        try:
            config = (await jetstream.stream_info(self._settings.stream)).config
        except js_errors.NotFoundError:
            created = await jetstream.add_stream(
                api.StreamConfig(
                    name=self._settings.stream,
                    subjects=[wanted],
                    storage=api.StorageType.FILE,
                    num_replicas=self._settings.replicas,
                    max_age=self._settings.retention,
                    duplicate_window=self._settings.duplicate_window,
                )
            )
            config = created.config
        # An existing stream is its operator's: it is taken as it is, and never changed from here.
        if wanted not in (config.subjects or []):
            raise _StreamMismatch(
                f"nats: stream {self._settings.stream} takes {config.subjects}, not {wanted}; "
                "add that subject to the stream, or name another stream"
            )
        self._stream_ready = True

    async def _keep_connected(self) -> None:
        """Hold a connection open; the driver heals most losses, and a closed client is replaced here."""
        while True:
            client = Client()
            closed = asyncio.Event()
            self._client = client
            try:
                await self._connect(client, closed)
                self._connected.set()
                await closed.wait()
            except asyncio.CancelledError:
                await client.close()
                raise
            await self._clock.sleep(_RECONNECT_WAIT_SECONDS)

    async def _connect(self, client: Client, closed: asyncio.Event) -> None:
        async def on_error(error: Exception) -> None:
            _log.debug("nats: %s", type(error).__name__)

        async def on_lost() -> None:
            self._stream_ready = False
            if not self._closing:
                _log.warning("nats: connection lost; connecting again")

        async def on_back() -> None:
            _log.info("nats: connected again")

        async def on_closed() -> None:
            closed.set()

        try:
            await client.connect(
                servers=self._settings.url.reveal().split(","),
                error_cb=on_error,
                disconnected_cb=on_lost,
                reconnected_cb=on_back,
                closed_cb=on_closed,
                connect_timeout=self._settings.connect_timeout,  # type: ignore[arg-type] # seconds; a float works
                reconnect_time_wait=_RECONNECT_WAIT_SECONDS,  # type: ignore[arg-type] # the same
                max_reconnect_attempts=-1,
                ping_interval=10,
            )
        except (nats_errors.Error, ValueError) as error:
            raise ConfigError(
                f"nats: the address cannot be used ({error}); it looks like nats://host:4222"
            ) from error


def _call_failed(error: Exception) -> CallFailed:
    """Say what an error of the driver means for the message: never sent, or nobody knows."""
    if isinstance(error, js_errors.APIError) and error.code == _UNAVAILABLE:
        return NotSent(_PEER, "unavailable")
    if isinstance(
        error,
        (
            nats_errors.ConnectionClosedError,
            nats_errors.ConnectionDrainingError,
            nats_errors.ConnectionReconnectingError,
            nats_errors.NoRespondersError,
            nats_errors.OutboundBufferLimitError,
        ),
    ):
        return NotSent(_PEER, "not_connected")
    return UnknownOutcome(_PEER, "timeout" if isinstance(error, TimeoutError) else "broker_error")
