"""Events out and in: what happened is stored with the change itself, published afterwards, and handled once.

A use case adds an `Event` to the `Outbox` inside its own transaction; the `outbox_relay` worker publishes it;
a consumer guards its own transaction with the `Inbox`, and keeps what it cannot handle as `DeadLetters`.
Delivery is at least once on the wire, once in effect.
"""

from platform_lib.events._ddl import dead_letters_ddl, inbox_ddl, outbox_ddl
from platform_lib.events.dead_letters import DeadLetter, DeadLetters
from platform_lib.events.event import Event, InvalidEvent
from platform_lib.events.inbox import Inbox
from platform_lib.events.jetstream import Nats, NatsSettings, nats
from platform_lib.events.outbox import Backlog, Outbox
from platform_lib.events.publisher import EventRejected, Publisher
from platform_lib.events.relay import outbox_relay
from platform_lib.events.subscription import EventHandler, GiveUp

__all__ = [
    "Backlog",
    "DeadLetter",
    "DeadLetters",
    "Event",
    "EventHandler",
    "EventRejected",
    "GiveUp",
    "Inbox",
    "InvalidEvent",
    "Nats",
    "NatsSettings",
    "Outbox",
    "Publisher",
    "dead_letters_ddl",
    "inbox_ddl",
    "nats",
    "outbox_ddl",
    "outbox_relay",
]
