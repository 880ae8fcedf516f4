"""Secrets that are planted to see whether they come out anywhere, and the search for them.

The search finds a secret also where it was cut by separators (as cards are printed), percent-encoded, in
hexadecimal digits or in base64.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_plus

_shown_around = 40
# Visa, Mastercard, American Express, Visa of 13 digits, UnionPay of 19; the check digit is computed.
_card_bodies = ("453914880343646", "545301127094358", "37144963512700", "453277100986", "621094871265430917")
_separators = re.compile(r"%20|[\s\-_.+/:,]")


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret that came out.

    Attributes:
        secret: the name of the canary.
        place: where it was found.
        excerpt: what stands around it, the secret itself replaced by its name.
    """

    secret: str
    place: str
    excerpt: str

    def __str__(self) -> str:
        """Return the leak on one line."""
        return f"{self.secret} in {self.place}: {self.excerpt}"


class Canaries:
    """Secrets and card data that look real and are nobody's: plant them, then search for them.

    Attributes:
        card: a card number of 16 digits (Visa's range, valid by Luhn).
        cards: card numbers of 13, 15, 16 and 19 digits, of several issuers; `card` is one of them.
        iban: an account number (ISO 13616) with valid check digits.
        bearer_token: what stands behind ``Bearer``.
        authorization: the header's value with it.
        dsn_password: a password.
        dsn: a URL of a database with it.
        webhook_secret: a ``whsec_…`` secret.
        api_key: an ``sk_live_…`` key.
    """

    def __init__(self) -> None:
        self.cards = tuple(map(_with_luhn, _card_bodies))
        self.card = self.cards[0]
        self.iban = _iban("DE", "500105179183264075")
        self.bearer_token = "cnry-bearer-9f4Qz7LmX2vT8sKd"  # noqa: S105  # planted to be found
        self.authorization = f"Bearer {self.bearer_token}"
        self.dsn_password = "cnry-dsn-Hw5Rj8PbN3yE"  # noqa: S105  # the same
        self.dsn = f"postgresql://payments:{self.dsn_password}@db.test:5432/payments"
        self.webhook_secret = "whsec_Y25yeS13ZWJob29rLXNlY3JldC1uMTdRcTQ="  # noqa: S105  # the same
        self.api_key = "sk_live_cnry51Vd8GkTzWq3uLrMxE"
        self._secrets = {
            **{f"card {number}": card for number, card in enumerate(self.cards, 1)},
            "iban": self.iban,
            "bearer_token": self.bearer_token,
            "dsn_password": self.dsn_password,
            "webhook_secret": self.webhook_secret,
            "api_key": self.api_key,
        }

    def add(self, name: str, secret: str) -> None:
        """Search for *secret* too, a key of the service's own say; at least eight characters long.

        Raises:
            ValueError: it is shorter, and would be found by chance.
        """
        if len(secret) < len("12345678"):
            raise ValueError(f"canaries: {name} has {len(secret)} characters; plant eight or more")
        self._secrets[name] = secret

    def secrets(self) -> Mapping[str, str]:
        """Return every secret by its name."""
        return dict(self._secrets)

    def leaks(self, place: str, text: str) -> list[Leak]:
        """Return the secrets that *text* holds in any form, each once."""
        views = _views(text)
        return [
            Leak(name, place, excerpt)
            for name, secret in self._secrets.items()
            if (excerpt := _excerpt(name, secret, views)) is not None
        ]


def _views(text: str) -> tuple[str, ...]:
    """Return *text* as it is searched: as it is, in lower case, percent-decoded, and without separators."""
    lower = text.lower()
    return text, lower, unquote_plus(text).lower(), _separators.sub("", lower)


def _excerpt(name: str, secret: str, views: tuple[str, ...]) -> str | None:
    """Return what stands around *secret* in the *views* of a text; None if it is not there."""
    for number, form in _forms(secret):
        view = views[number]
        at = view.find(form)
        if at >= 0:
            before, after = view[max(0, at - _shown_around) : at], view[at + len(form) :][:_shown_around]
            return f"{before}<{name}>{after}"
    return None


@lru_cache(maxsize=1024)
def _forms(secret: str) -> tuple[tuple[int, str], ...]:
    """Return how *secret* may look, each with the number of the view that shows it.

    Kept, as thousands of texts are searched for the same few secrets.
    """
    plain = secret.lower()
    return (
        (0, secret),
        (1, plain),
        (2, plain),
        (3, _separators.sub("", plain)),
        (1, secret.encode().hex()),
        *((0, form) for form in _base64_forms(secret.encode())),
    )


def _base64_forms(secret: bytes) -> Iterator[str]:
    """Yield how *secret* looks inside base64, for each of the three places where it can begin."""
    for shift, partly_others in enumerate((0, 2, 3)):
        whole = (shift + len(secret)) // 3 * 4  # the last group would hold what follows as well
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * shift + secret).decode()[partly_others:whole]


def _with_luhn(body: str) -> str:
    """Return *body* with its check digit (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return body + str(-total % 10)


def _iban(country: str, account: str) -> str:
    """Return the IBAN with its check digits (ISO 13616, MOD 97-10)."""
    number = int("".join(str(int(character, 36)) for character in f"{account}{country}00"))
    return f"{country}{98 - number % 97:02}{account}"
