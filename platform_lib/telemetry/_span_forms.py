"""Every form of span that the platform makes: its name, its kind, its attributes.

`docs/reference/spans.md` is made from it, and a test holds it against the spans that real calls leave behind.
Source: OpenTelemetry semantic conventions 1.44.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class SpanForm:
    """One form of span.

    Attributes:
        title: what it is around.
        name: the pattern of its name, with what varies in braces.
        kind: in capitals, as OpenTelemetry writes it.
        made_by: the public name that makes it.
        stability: of its form in the conventions; ``platform`` if they have none.
        required: attributes that it always has.
        conditional: attributes that it has where they apply.
        recommended: attributes that it has where they are known.
        notes: what else there is to know, a sentence each.
    """

    title: str
    name: str
    kind: Literal["SERVER", "CLIENT", "PRODUCER", "CONSUMER", "INTERNAL"]
    made_by: str
    stability: Literal["stable", "development", "platform"]
    required: tuple[str, ...] = ()
    conditional: tuple[str, ...] = ()
    recommended: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def attributes(self) -> frozenset[str]:
        """Every attribute that the platform may put on it."""
        return frozenset(self.required + self.conditional + self.recommended)


forms: tuple[SpanForm, ...] = (
    SpanForm(
        "A request served",
        "{http.request.method} {http.route}",
        "SERVER",
        "platform_lib.telemetry.ServerSpans",
        "stable",
        required=("http.request.method", "url.path", "url.scheme"),
        conditional=(
            "error.type",
            "http.request.method_original",
            "http.response.status_code",
            "http.route",
            "server.port",
        ),
        recommended=(
            "client.address",
            "network.protocol.version",
            "server.address",
            "user_agent.original",
        ),
        notes=(
            "Without a route the name is the method alone, `HTTP` for an unknown one; a path is never in it.",
            "Only a status of 500 or above, an exception or a response that was cut off is an error.",
            "A stranger's trace context is a link of it; a trusted caller's is its parent.",
        ),
    ),
    SpanForm(
        "An attempt at a call to a peer",
        "{operation}",
        "CLIENT",
        "platform_lib.clients.HttpClient",
        "stable",
        required=("http.request.method", "server.address", "server.port", "url.full"),
        conditional=("error.type", "http.request.method_original", "http.response.status_code"),
        recommended=(
            "http.request.resend_count",
            "network.peer.address",
            "network.peer.port",
            "network.protocol.version",
        ),
        notes=(
            "The operation is what the caller calls it, else the method and the name of the client.",
            "Every attempt has a span of its own; to a client a status of 400 or above is an error.",
        ),
    ),
    SpanForm(
        "A statement",
        "{db.query.summary}",
        "CLIENT",
        "platform_lib.clients.Connection",
        "stable",
        required=("db.system.name",),
        conditional=(
            "db.namespace",
            "db.operation.name",
            "db.response.status_code",
            "error.type",
            "server.port",
        ),
        recommended=("db.query.summary", "server.address"),
        notes=(
            "Neither the statement's text nor a parameter is on it: the name leads to the text.",
            "The begin and the end of a transaction have no spans.",
        ),
    ),
    SpanForm(
        "A message handed to the broker",
        "publish {messaging.destination.name}",
        "PRODUCER",
        "platform_lib.events.Nats",
        "development",
        required=("messaging.operation.name", "messaging.system"),
        conditional=(
            "error.type",
            "messaging.destination.name",
            "messaging.operation.type",
            "server.address",
        ),
        recommended=("messaging.message.body.size", "messaging.message.id", "server.port"),
        notes=(
            "Its context travels with the message, and is below the span that added the event to the outbox.",
        ),
    ),
    SpanForm(
        "A message handled",
        "process {messaging.destination.name}",
        "CONSUMER",
        "platform_lib.events.Nats",
        "development",
        required=("messaging.operation.name", "messaging.system"),
        conditional=(
            "error.type",
            "messaging.consumer.group.name",
            "messaging.destination.name",
            "messaging.operation.type",
            "server.address",
        ),
        recommended=("messaging.message.id", "server.port"),
        notes=(
            "The span that sent the message is its parent, and a link of it.",
            "An acknowledgement waits for nobody's answer and has no span.",
        ),
    ),
    SpanForm(
        "A background task",
        "background {name}",
        "CONSUMER",
        "platform_lib.telemetry.linked_span",
        "platform",
        conditional=("error.type", "paypath.refusal"),
        notes=("It begins a trace of its own, and links the span of the request that asked for it.",),
    ),
    SpanForm(
        "Work of the service",
        "{name}",
        "INTERNAL",
        "platform_lib.telemetry.traced",
        "platform",
        conditional=("error.type", "paypath.refusal"),
        notes=(
            "A refusal, which is any problem below 500, is an answer and leaves the span without an error.",
        ),
    ),
)
