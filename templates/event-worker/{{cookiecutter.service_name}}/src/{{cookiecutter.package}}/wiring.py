"""The one place where real things are chosen and put together."""

from __future__ import annotations

from dataclasses import dataclass

from platform_lib import Clock, Ids, RandomIds, SystemClock
from platform_lib.clients import postgres
from platform_lib.events import DeadLetters, Inbox, Outbox, nats, outbox_relay
from platform_lib.migrations import Schema
from platform_lib.service import Service

from {{ cookiecutter.package }} import __version__
from {{ cookiecutter.package }}.adapters.store import PostgresStore
from {{ cookiecutter.package }}.domain.settlement import Calendar
from {{ cookiecutter.package }}.entrypoints.closer import Closer
from {{ cookiecutter.package }}.entrypoints.consumer import DURABLE, SUBJECT, Consumer
from {{ cookiecutter.package }}.settings import SERVICE, WorkerSettings
from {{ cookiecutter.package }}.use_cases import UseCases


@dataclass(frozen=True, slots=True)
class Wired:
    """The service with its parts; tests reach them through it."""

    service: Service
    store: PostgresStore
    consumer: Consumer
    closer: Closer


def wire(settings: WorkerSettings, *, clock: Clock | None = None, ids: Ids | None = None) -> Wired:
    """Build everything from *settings*; nothing is opened before the service starts."""
    clock = clock or SystemClock()
    ids = ids or RandomIds(clock)

    # What the platform gives.
    service = Service(SERVICE, settings, version=__version__, clock=clock)
    database = service.resource("database", postgres(settings.database), criticality="critical")
    service.resource(
        "schema",
        Schema(database, "{{ cookiecutter.package }}.migrations"),
    )
    payments = service.resource("payments", nats(settings.payments), criticality="critical")
    broker = service.resource("broker", nats(settings.events))

    # What is ours.
    store = PostgresStore(
        database=database,
        inbox=Inbox(DURABLE, clock=clock),
        outbox=Outbox(),
        dead_letters=DeadLetters(DURABLE, clock=clock),
        ids=ids,
        source=SERVICE,
    )
    calendar = Calendar(cutoff_seconds=settings.settlement.cutoff, grace_seconds=settings.settlement.grace)
    use_cases = UseCases(store=store, calendar=calendar, clock=clock, ids=ids)
    consumer = Consumer(store=store, use_cases=use_cases)
    closer = Closer(
        use_cases=use_cases,
        clock=clock,
        interval_seconds=settings.settlement.interval,
        batch=settings.settlement.batch,
    )
    service.worker(
        "consumer",
        payments.subscribe(
            DURABLE,
            consumer.hear,
            subject=SUBJECT,
            ack_wait=settings.consumer.ack_wait,
            max_deliver=settings.consumer.max_deliver,
            give_up=consumer.give_up,
        ),
    )
    service.worker("closer", closer.run)
    service.worker("outbox relay", outbox_relay(database, broker, clock=clock))
    service.check("dead letters", consumer.check)
    return Wired(service, store, consumer, closer)
