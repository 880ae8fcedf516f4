"""Find and mask card numbers (PANs) in free text.

Source: ISO/IEC 7812-1 (13 to 19 digits, Luhn check digit in annex B); PCI DSS 4.0.1 requirement 3.4.1, which
lets the first six and the last four digits be shown.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

_shortest, _longest = 13, 19
_shown_first, _shown_last = 6, 4
_largest_digit = 9

# What people and forms put between the groups: blanks, dashes of any kind, and the blank as URLs write it.
_separator = r"(?:%20|[ \t\u00a0\u2007\u2009\u202f+\-\u2010-\u2015\u2212])"
_run = re.compile(rf"\d(?:{_separator}{{0,3}}\d){{{_shortest - 1},}}")
_piece = re.compile(rf"{_separator}|\d")
# Other marks count only where they cut a number as cards are printed: 1.234567890123456 is no card.
_printed = re.compile(r"(?<!\d)(?:\d{4}([./_:,])\d{4}\1\d{4}\1\d{1,7}|\d{4}([./_:,])\d{6}\2\d{4,5})(?!\d)")

# How the numbers of each issuer begin, and how long they are. Inside longer runs of digits only these are
# looked for: in any twenty digits some thirteen pass Luhn by chance.
_issuers = (
    ("4", (13, 16, 18, 19)),  # Visa
    ("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),  # Mastercard
    ("3[47]", (15,)),  # American Express
    (
        "35|6011|6[45]|62|8[12]|60|220[0-4]|9792",
        (16, 17, 18, 19),
    ),  # JCB, Discover, UnionPay and others
    ("30[0-5]|309|3[689]", (14, 16, 17, 18, 19)),  # Diners Club
    ("50|5[6-8]|6[136-9]", (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    ("1800|2131", (15,)),  # JCB, the old ranges
)
_issuer = re.compile("|".join(f"({beginnings})" for beginnings, _ in _issuers))

# Identifiers that are made of hexadecimal digits; by chance some of them hold a number that passes Luhn.
_uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[089ab][0-9a-f]{3}-[0-9a-f]{12}"
_traceparent = r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
_digest = r"(?=\d*[a-f])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})"
_identifier = re.compile(
    rf"(?<![0-9a-z-])(?:{_uuid}|{_traceparent}|{_digest})(?![0-9a-z-])", re.IGNORECASE | re.ASCII
)


def mask_card_numbers(text: str) -> str:
    """Return *text* with the middle digits of each card number replaced by asterisks.

    Guarantee: 13 to 19 digits that pass Luhn are masked where they stand alone, and wherever they begin and
    are as long as an issuer's numbers, whatever digits or letters touch them. Time is linear in the text.
    """
    if not _run.search(text) and not _printed.search(text):
        return text
    pieces: list[str] = []
    end = 0
    for identifier in _identifier.finditer(text):
        pieces += (_masked(text[end : identifier.start()]), identifier.group())
        end = identifier.end()
    return "".join((*pieces, _masked(text[end:])))


def _masked(text: str) -> str:
    text = _run.sub(lambda match: _mask_run(match.group()), text)
    return _printed.sub(lambda match: _mask_printed(match.group()), text)


def _mask_run(run: str) -> str:
    places = [match.start() for match in _piece.finditer(run) if run[match.start()].isdecimal()]
    return _mask_numbers(run, places, only_whole=False)


def _mask_printed(text: str) -> str:
    places = [place for place, character in enumerate(text) if character.isdecimal()]
    return _mask_numbers(text, places, only_whole=True)


def _mask_numbers(text: str, places: list[int], *, only_whole: bool) -> str:
    """Mask the card numbers among the digits that stand at *places*; where they overlap, each of them."""
    digits = "".join(str(int(text[place])) for place in places)
    characters = list(text)
    for start, stop in _numbers(digits, only_whole=only_whole):
        for place in places[start + _shown_first : stop - _shown_last]:
            characters[place] = "*"
    return "".join(characters)


def _numbers(digits: str, *, only_whole: bool) -> Iterator[tuple[int, int]]:
    """Yield where card numbers begin and end in *digits*."""
    passes = _luhn(digits)
    if _shortest <= len(digits) <= _longest and passes(0, len(digits)):
        yield 0, len(digits)
    if only_whole:
        return
    for start in range(len(digits) - _shortest + 1):
        issuer = _issuer.match(digits, start)
        if issuer is None or issuer.lastindex is None:
            continue
        for length in _issuers[issuer.lastindex - 1][1]:
            if start + length <= len(digits) and passes(start, start + length):
                yield start, start + length


def _luhn(digits: str) -> Callable[[int, int], bool]:
    """Return a test that tells for any stretch of *digits* whether it passes Luhn, in constant time each."""
    values = [int(digit) for digit in digits]
    doubled = [value * 2 - (_largest_digit if value * 2 > _largest_digit else 0) for value in values]
    # Two running sums, doubling the digits at even or at odd places; a stretch takes the one that leaves its
    # last digit as it is.
    sums = tuple(
        list(itertools.accumulate(_alternating(values, doubled, parity), initial=0)) for parity in (0, 1)
    )
    return lambda start, stop: (sums[stop % 2][stop] - sums[stop % 2][start]) % 10 == 0


def _alternating(values: list[int], doubled: list[int], parity: int) -> Iterator[int]:
    return (doubled[place] if place % 2 == parity else values[place] for place in range(len(values)))
