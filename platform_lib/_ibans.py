"""Find and mask account numbers (IBANs) in free text.

Source: ISO 13616-1 with the lengths of its registry (SWIFT, IBAN Registry); check digits by ISO/IEC 7064,
MOD 97-10.
"""

from __future__ import annotations

import re

_shown_first, _shown_last = 4, 4

_registry = """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28
    EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26
    IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28
    NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25
    SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
"""
_lengths = {entry[:2]: int(entry[2:]) for entry in _registry.split()}
_separator = r"(?:%20|[ \t\u00a0\u202f\-])"
_beginning = re.compile(
    rf"(?<![0-9a-z])(?P<country>[a-z]{{2}})(?:{_separator}?\d){{2}}", re.IGNORECASE | re.ASCII
)
_piece = re.compile(rf"{_separator}|[0-9a-z]", re.IGNORECASE | re.ASCII)


def mask_ibans(text: str) -> str:
    """Return *text* with all but the first and last four characters of each IBAN replaced by asterisks."""
    characters: list[str] | None = None
    end = 0
    for beginning in _beginning.finditer(text):
        length = _lengths.get(beginning["country"].upper())
        if length is None or beginning.start() < end:
            continue
        places = _places(text, beginning.start(), length)
        if places is None or not _passes("".join(text[place] for place in places)):
            continue
        characters = characters or list(text)
        for place in places[_shown_first:-_shown_last]:
            characters[place] = "*"
        end = places[-1] + 1
    return text if characters is None else "".join(characters)


def _places(text: str, start: int, length: int) -> list[int] | None:
    """Return where the *length* characters of the number stand, None if it breaks off before."""
    places: list[int] = []
    place = start
    while len(places) < length:
        piece = _piece.match(text, place)
        if piece is None:
            return None
        if piece.group().isalnum():
            places.append(place)
        place = piece.end()
    return places


def _passes(iban: str) -> bool:
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1
