"""The envelope of an event: CloudEvents 1.0, in the JSON format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from platform_lib import strict_json
from platform_lib.errors import PlatformError

CONTENT_TYPE = "application/cloudevents+json"


class InvalidEvent(PlatformError):
    """A message is not an event that this platform can read; reading it again cannot help."""


@dataclass(frozen=True)
class Event:
    """Something that happened, named in the past tense.

    Guarantee: an event is a fact; once added to the outbox it never changes, and *id* names it for ever.
    Source: CloudEvents 1.0.2 core and JSON format; extensions ``merchantid`` (ours) and ``traceparent``
    (distributed tracing extension).

    Attributes:
        id: unique together with *source*.
        type: dotted words such as ``payment.captured``; becomes the end of the subject on the broker.
        source: the service that says so, such as ``payments``.
        subject: the id of the aggregate; events of one subject are published in order.
        merchant_id: the tenant.
        time: when it happened, UTC-aware.
        data: a JSON object; money as minor units and currency, never a float.
    """

    id: UUID
    type: str
    source: str
    subject: str
    merchant_id: str
    time: datetime
    data: Mapping[str, Any] = field(hash=False)

    def __post_init__(self) -> None:
        """Refuse what could not be published later, while the caller can still be told."""
        if self.time.tzinfo is None:
            msg = f"Event.time: {self.time.isoformat()} has no time zone; pass a UTC-aware datetime"
            raise ValueError(msg)
        for name in ("type", "source", "subject", "merchant_id"):
            if not getattr(self, name):
                msg = f"Event.{name}: empty; every event names its {name}"
                raise ValueError(msg)
        if not all(_is_token(word) for word in self.type.split(".")):
            msg = f"Event.type: {self.type!r} is not dotted words; write it like payment.captured"
            raise ValueError(msg)

    def cloudevent(self, *, traceparent: str | None = None) -> dict[str, Any]:
        """Return the event as a CloudEvents JSON document; *traceparent* says what caused it."""
        document: dict[str, Any] = {
            "specversion": "1.0",
            "id": str(self.id),
            "type": self.type,
            "source": self.source,
            "subject": self.subject,
            "time": self.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "merchantid": self.merchant_id,
            "data": dict(self.data),
        }
        if traceparent:
            document["traceparent"] = traceparent
        return document

    @classmethod
    def from_json(cls, payload: bytes) -> Self:
        """Read an event from the CloudEvents JSON format.

        Errors: `InvalidEvent` for everything that is not such a document with our ``merchantid``.
        """
        try:
            return cls._from_document(strict_json.loads(payload))
        except (ValueError, TypeError, KeyError, PlatformError) as error:
            # The payload came from elsewhere and may hold anything: its text goes into no message.
            msg = f"event: no CloudEvents 1.0 JSON document ({type(error).__name__}); check its producer"
            raise InvalidEvent(msg) from None

    @classmethod
    def _from_document(cls, document: Any) -> Self:
        if document["specversion"] != "1.0" or not isinstance(document["data"], dict):
            raise ValueError
        names = ("type", "source", "subject", "merchantid")
        if not all(isinstance(document[name], str) for name in (*names, "id", "time")):
            raise TypeError
        return cls(
            id=UUID(document["id"]),
            type=document["type"],
            source=document["source"],
            subject=document["subject"],
            merchant_id=document["merchantid"],
            time=datetime.fromisoformat(document["time"]),
            data=document["data"],
        )


def _is_token(word: str) -> bool:
    return word.isascii() and word.replace("_", "").replace("-", "").isalnum()
