"""Whose tokens are taken, for whom, and how its keys are fetched."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from platform_lib.config import Seconds, Section

Algorithm = Literal["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures that a public key verifies; neither HMAC nor `none`."""

_every: tuple[Algorithm, ...] = ("RS256", "PS256", "ES256", "EdDSA")


def _secure(url: str) -> str:
    parts = urlsplit(url)
    if parts.username is not None or parts.fragment or not parts.hostname:
        raise ValueError("it needs a host, and neither a user nor a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("it needs https://; who can change the keys on the way can sign any token")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class TokenSettings(Section):
    """The identity provider whose access tokens callers send, and what they must say."""

    issuer: Annotated[str, Field(min_length=1, description="what `iss` must be, to the letter")]
    audience: Annotated[str, Field(min_length=1, description="what `aud` must name: this service")]
    jwks_url: Annotated[
        str,
        AfterValidator(_secure),
        Field(description="where the issuer publishes its keys; https, but for the loopback address"),
    ]
    algorithms: Annotated[
        tuple[Algorithm, ...], Field(min_length=1, description="signatures that are taken")
    ] = _every
    profile: Annotated[
        Literal["rfc9068", "plain"],
        Field(description="rfc9068: access tokens of that form only; plain: for issuers that know it not"),
    ] = "rfc9068"
    leeway: Annotated[
        Seconds,
        Field(ge=0, le=300, description="how far the issuer's clock may be off, for exp, nbf and iat"),
    ] = 30.0
    scopes: Annotated[
        tuple[str, ...], Field(description="what every token must be granted; another one is answered 403")
    ] = ()
    merchant_claim: Annotated[
        str, Field(description="the claim that names the merchant; empty: tokens speak for no merchant")
    ] = ""
    refresh: Annotated[Seconds, Field(gt=0, description="how often the keys are fetched anew")] = 300.0
    retry: Annotated[
        Seconds, Field(gt=0, description="least time between two fetches, whatever asks for one")
    ] = 10.0
    usable_for: Annotated[
        Seconds, Field(gt=0, description="how long keys are used that cannot be fetched anew; then it is 503")
    ] = 3600.0
    timeout: Annotated[Seconds, Field(gt=0, description="limit of one fetch")] = 2.0
