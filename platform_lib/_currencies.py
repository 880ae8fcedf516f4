"""The currencies of ISO 4217 list one that have minor units, by the number of their decimals.

Published on 2026-01-01 by the maintenance agency, SIX. Codes without minor units (metals, bond market units,
special drawing rights, ``XTS`` for tests, ``XXX`` for none) are left out on purpose: no amount can be written
in them. A committed table costs nothing to import; `tests/unit/test_money.py` compares it with the package
``iso4217``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_codes_by_exponent = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
        CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
        GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
        MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
        PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
        TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

exponents: Mapping[str, int] = MappingProxyType(
    {code: exponent for exponent, codes in _codes_by_exponent.items() for code in codes.split()}
)
