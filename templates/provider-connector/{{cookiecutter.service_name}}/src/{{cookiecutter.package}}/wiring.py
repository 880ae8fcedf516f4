"""The one place where real things are chosen and put together."""

from __future__ import annotations

from dataclasses import dataclass
from logging import getLogger

from fastapi import FastAPI
from platform_lib import Clock, SystemClock
from platform_lib.clients import http_client
from platform_lib.config import Reloader
from platform_lib.frameworks.fastapi import create_app
from platform_lib.payments import WebhookSigner
from platform_lib.service import Service

from {{ cookiecutter.package }} import __version__
from {{ cookiecutter.package }}.adapters.processor import KestrelProcessor
from {{ cookiecutter.package }}.adapters.receiver import PaymentService
from {{ cookiecutter.package }}.adapters.signature import ProcessorSignature
from {{ cookiecutter.package }}.entrypoints import http, schemas, webhooks
from {{ cookiecutter.package }}.settings import SERVICE, ConnectorSettings
from {{ cookiecutter.package }}.use_cases import UseCases


@dataclass(frozen=True, slots=True)
class Wired:
    """The service with its application; tests reach the parts through it."""

    service: Service
    app: FastAPI
    use_cases: UseCases


def wire(settings: ConnectorSettings, *, clock: Clock | None = None) -> Wired:
    """Build everything from *settings*; nothing is opened before the service starts."""
    clock = clock or SystemClock()

    # What the platform gives.
    service = Service(SERVICE, settings, version=__version__, clock=clock)
    processor_http = service.resource("processor", http_client("processor", settings.processor))
    receiver_http = service.resource("receiver", http_client("receiver", settings.receiver, internal=True))
    reloader = Reloader(settings, clock=clock)

    # What is ours.
    processor = KestrelProcessor(processor_http, settings.processor.api_key)
    signature = ProcessorSignature(settings.processor.webhook_secret, clock)
    receiver = PaymentService(
        http=receiver_http,
        path=settings.receiver.path,
        signer=WebhookSigner(settings.receiver.webhook_secret),
        render=schemas.document,
        clock=clock,
    )
    api_key = http.CallersKey(settings.api_key)
    use_cases = UseCases(processor=processor, receiver=receiver)

    # What may change while the service runs; each of these settings is marked Reloadable.
    def take_up(_: ConnectorSettings, new: ConnectorSettings) -> None:
        getLogger().setLevel(new.telemetry.log_level)
        api_key.secret = new.api_key
        processor.api_key = new.processor.api_key
        signature.secret = new.processor.webhook_secret
        receiver.signer = WebhookSigner(new.receiver.webhook_secret)

    reloader.subscribe(take_up)
    service.worker("configuration", reloader.run)
    service.check("configuration", reloader.check)
    app = create_app(
        service,
        title="{{ cookiecutter.title }}",
        version=service.version,
        description=http.RULES,
        routers=[http.routes(use_cases, api_key), webhooks.routes(use_cases, signature)],
    )
    return Wired(service, app, use_cases)
