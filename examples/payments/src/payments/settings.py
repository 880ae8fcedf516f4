"""Every setting of the service; times are seconds, or texts such as `250ms` and `5s`."""

from typing import Annotated, Self

from platform_lib.clients import HttpClientSettings, PostgresSettings
from platform_lib.config import Reloadable, Seconds, Secret, Section
from platform_lib.events import NatsSettings
from platform_lib.security import MerchantSettings
from platform_lib.service import ServiceSettings
from pydantic import Field, model_validator

SERVICE = "payments"


class ProviderSettings(HttpClientSettings):
    """How the card processor is reached, and how its webhooks are recognised."""

    api_key: Annotated[Secret, Field(description="what we authenticate with"), Reloadable()]
    webhook_secret: Annotated[
        Secret, Field(description="whsec_…; during a rotation the old one too"), Reloadable()
    ]


class SweeperSettings(Section):
    """When the provider is asked about attempts whose outcome is not known."""

    interval: Annotated[Seconds, Field(gt=0, description="how often due attempts are looked for")] = 1.0
    lease: Annotated[
        Seconds, Field(gt=0, description="how long an attempt is left to the request or sweeper that has it")
    ] = 30.0
    not_found_after: Annotated[
        Seconds,
        Field(gt=0, description="when the provider's not knowing an attempt proves that nothing was done"),
    ] = 300.0
    batch: Annotated[int, Field(ge=1, description="how many attempts are resolved at a time")] = 20


class PaymentsSettings(ServiceSettings, prefix="PAYMENTS"):
    """The settings of the service."""

    database: PostgresSettings
    events: NatsSettings = NatsSettings(stream=SERVICE)
    provider: ProviderSettings
    merchants: MerchantSettings = MerchantSettings()
    sweeper: SweeperSettings = SweeperSettings()

    @model_validator(mode="after")
    def times_fit(self) -> Self:
        """Refuse times with which an attempt would be given up while its request is still waiting."""
        if not self.provider.timeout < self.sweeper.lease <= self.sweeper.not_found_after:
            raise ValueError(
                "must have provider.timeout shorter than sweeper.lease, "
                "and sweeper.lease no longer than sweeper.not_found_after"
            )
        return self
