"""Spans and measurements of messages out and in.

Source: OpenTelemetry semantic conventions 1.44, messaging (all of it in development).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from urllib.parse import urlsplit

from platform_lib.errors import NotSent
from platform_lib.telemetry import consumer_span, producer_span, remote_parent
from platform_lib.telemetry._catalogue import (
    messaging_consumed,
    messaging_operation_duration,
    messaging_process_duration,
    messaging_sent,
)
from platform_lib.telemetry._spans import error_type

_DEFAULT_PORT = 4222

Attributes = Mapping[str, str | int]


def broker_attributes(url: str) -> Attributes:
    """Return which broker *url* means; of several servers the first, for the others hold the same stream."""
    parts = urlsplit(url.partition(",")[0])
    attributes: dict[str, str | int] = {"messaging.system": "nats"}
    if parts.hostname:
        attributes["server.address"] = parts.hostname
        attributes["server.port"] = parts.port or _DEFAULT_PORT
    return attributes


@contextmanager
def publishing(broker: Attributes, subject: str, *, message_id: str, size: int) -> Iterator[None]:
    """Open the span of handing one message of *size* bytes to the broker, and measure what is inside.

    A message that was never on its way (`NotSent`) is no message sent.
    """
    common = {
        **broker,
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        "messaging.destination.name": subject,
    }
    attributes = {**common, "messaging.message.id": message_id, "messaging.message.body.size": size}
    with producer_span(f"publish {subject}", attributes):
        measured, sent, began = dict(common), True, perf_counter()
        try:
            yield
        except BaseException as error:
            measured["error.type"] = error_type(error)
            sent = not isinstance(error, NotSent)
            raise
        finally:
            messaging_operation_duration.record(perf_counter() - began, measured)
            if sent:
                messaging_sent.add(1, measured)


class Consumption:
    """What telemetry says about the messages that the consumer group *group* takes from *broker*."""

    def __init__(self, broker: Attributes, group: str) -> None:
        self.group = group
        self._common = {**broker, "messaging.consumer.group.name": group}

    def received(self, subject: str, seconds: float) -> None:
        """Take note of one message that a fetch of *seconds* brought."""
        measured = {
            **self._common,
            "messaging.operation.name": "fetch",
            "messaging.operation.type": "receive",
            "messaging.destination.name": subject,
        }
        messaging_operation_duration.record(seconds, measured)
        messaging_consumed.add(1, measured)

    @contextmanager
    def processing(self, subject: str, *, message_id: str, traceparent: str | None) -> Iterator[None]:
        """Open the span of handling one message, and measure what is inside.

        The span that sent the message is both its parent and a link of it: a message has one sender, and who
        looks for links, as the conventions want them, finds it too.
        """
        measured = {
            **self._common,
            "messaging.operation.name": "process",
            "messaging.destination.name": subject,
        }
        attributes = {**measured, "messaging.operation.type": "process", "messaging.message.id": message_id}
        with remote_parent(traceparent) as sender:
            links = () if sender is None else (sender,)
            with consumer_span(f"process {subject}", attributes, links=links):
                began = perf_counter()
                try:
                    yield
                except BaseException as error:
                    measured["error.type"] = error_type(error)
                    raise
                finally:
                    messaging_process_duration.record(perf_counter() - began, measured)
