"""Every setting of the connector; times are seconds, or texts such as `250ms` and `5s`."""

from typing import Annotated

from platform_lib.clients import HttpClientSettings
from platform_lib.config import Reloadable, Seconds, Secret
from platform_lib.service import ServiceSettings
from pydantic import Field

SERVICE = "{{ cookiecutter.service_name }}"


class ProcessorSettings(HttpClientSettings):
    """How the card processor is reached, and how its webhooks are recognised."""

    api_key: Annotated[Secret, Field(description="what we authenticate with"), Reloadable()]
    webhook_secret: Annotated[
        Secret, Field(description="signs its webhooks; during a rotation the old one too"), Reloadable()
    ]
    timeout: Annotated[
        Seconds,
        Field(gt=0, description="limit of a whole call; shorter than the payment service waits for us"),
    ] = 8.0


class ReceiverSettings(HttpClientSettings):
    """The payment service that hears of what the processor tells us."""

    path: Annotated[str, Field(pattern="^/", description="where it takes webhooks")] = "/v1/provider-events"
    webhook_secret: Annotated[
        Secret,
        Field(description="whsec_…, signs what we send; during a rotation the old one too"),
        Reloadable(),
    ]


class ConnectorSettings(ServiceSettings, prefix="{{ cookiecutter.package | upper }}"):
    """The settings of the connector."""

    api_key: Annotated[Secret, Field(description="what payment services authenticate with"), Reloadable()]
    processor: ProcessorSettings
    receiver: ReceiverSettings
