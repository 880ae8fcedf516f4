"""The one place where real things are chosen and put together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fastapi import FastAPI
from platform_lib import Clock, Ids, RandomIds, SystemClock
from platform_lib.clients import http_client, postgres
from platform_lib.config import Reloader
from platform_lib.events import Inbox, Outbox, nats, outbox_relay
from platform_lib.frameworks.fastapi import create_app
from platform_lib.migrations import Schema
from platform_lib.payments import IdempotencyKeys, WebhookVerifier
from platform_lib.security import Merchants
from platform_lib.service import Service

from payments import __version__
from payments.adapters.provider import CardProvider
from payments.adapters.store import PostgresStore
from payments.entrypoints import http, schemas, webhooks
from payments.entrypoints.worker import Sweeper
from payments.settings import SERVICE, PaymentsSettings
from payments.use_cases import UseCases


@dataclass(frozen=True, slots=True)
class Wired:
    """The service with its application; tests reach the parts through it."""

    service: Service
    app: FastAPI
    store: PostgresStore
    use_cases: UseCases
    sweeper: Sweeper


def wire(settings: PaymentsSettings, *, clock: Clock | None = None, ids: Ids | None = None) -> Wired:
    """Build everything from *settings*; nothing is opened before the service starts."""
    clock = clock or SystemClock()
    ids = ids or RandomIds(clock)

    # What the platform gives.
    service = Service(SERVICE, settings, version=__version__, clock=clock)
    database = service.resource("database", postgres(settings.database), criticality="critical")
    service.resource(
        "schema",
        Schema(database, "payments.migrations"),
    )
    broker = service.resource("broker", nats(settings.events))
    provider_http = service.resource("provider", http_client("provider", settings.provider))

    # What is ours.
    store = PostgresStore(
        database=database,
        keys=IdempotencyKeys(clock=clock),
        outbox=Outbox(),
        inbox=Inbox(clock=clock),
        clock=clock,
        ids=ids,
        source=SERVICE,
        lease_seconds=settings.sweeper.lease,
    )
    provider = CardProvider(provider_http, settings.provider.api_key)
    verifier = WebhookVerifier(settings.provider.webhook_secret, clock)
    merchants = Merchants(settings.merchants, test_keys=settings.environment != "production")
    use_cases = UseCases(
        store=store,
        provider=provider,
        render=schemas.answer,
        clock=clock,
        ids=ids,
        not_found_after=timedelta(seconds=settings.sweeper.not_found_after),
    )
    sweeper = Sweeper(
        store=store,
        use_cases=use_cases,
        clock=clock,
        interval_seconds=settings.sweeper.interval,
        lease_seconds=settings.sweeper.lease,
        batch=settings.sweeper.batch,
    )
    service.worker("outbox relay", outbox_relay(database, broker, clock=clock))
    service.worker("sweeper", sweeper.run)

    # What may change while the service runs; each of these settings is marked Reloadable.
    def take_up(_: PaymentsSettings, new: PaymentsSettings) -> None:
        provider.api_key = new.provider.api_key
        verifier.rotate(new.provider.webhook_secret)
        merchants.rotate(new.merchants)

    reloader = Reloader(settings, clock=clock)
    reloader.subscribe(service.take_up)
    reloader.subscribe(take_up)
    service.worker("configuration", reloader.run)
    service.check("configuration", reloader.check)
    app = create_app(
        service,
        title="Payments",
        version=service.version,
        description=http.RULES,
        routers=[
            http.routes(use_cases, store),
            webhooks.routes(use_cases, verifier),
        ],
        merchants=merchants,
        public=[
            webhooks.PATH,
        ],
    )
    return Wired(service, app, store, use_cases, sweeper)
