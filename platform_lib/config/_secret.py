"""Values that must not be seen: `Secret` hides all of itself, `Dsn` hides its password."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any, NoReturn, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from platform_lib.redaction import mask_url

masked = "***"
_pem = "-----BEGIN"


class _Hidden:
    """What both kinds of hidden value share: no way of printing, copying or storing them shows the value."""

    __slots__ = ("_value",)

    _value: Any

    def __str__(self) -> str:
        return masked

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}: cannot be changed; make a new one")

    def __delattr__(self, name: str) -> NoReturn:
        self.__setattr__(name, None)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__}: cannot be pickled; load the settings again where they are needed"
        )

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__getstate__()

    @classmethod
    def _parse(cls, value: object) -> Self:
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._parse, serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json")
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "password", "writeOnly": True}


class Secret(_Hidden):
    """A secret with its previous versions, so that a rotation never has a moment at which nothing matches.

    Shape: ``Secret("current", "previous", …)``; in settings a text with one version on each line, newest
    first (a PEM block is one version), or a list.
    Guarantee: repr, str, format, JSON and tracebacks with locals show ``***``; pickling is refused; comparing
    takes the same time wherever the values differ.
    Errors: ValueError if a version is empty.
    """

    __slots__ = ()

    _value: tuple[str, ...]

    def __init__(self, current: str, *previous: str) -> None:
        versions = (current, *previous)
        if not all(versions):
            raise ValueError("Secret: a version is empty; give a value or leave the setting out")
        object.__setattr__(self, "_value", versions)

    def reveal(self) -> str:
        """Return the current version: the one to sign and authenticate with."""
        return self._value[0]

    def all_versions(self) -> tuple[str, ...]:
        """Return the current version, then the previous ones: those to verify with."""
        return self._value

    def matches(self, candidate: str) -> bool:
        """Tell in constant time whether *candidate* is the current or a previous version."""
        wanted = _encoded(candidate)
        # No early exit: which version matched must not show in the time taken either.
        found = [hmac.compare_digest(_encoded(version), wanted) for version in self._value]
        return any(found)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_joined(self._value), _joined(other._value))

    def __hash__(self) -> int:
        return hash(self._value)

    @classmethod
    def _parse(cls, value: object) -> Self:
        match value:
            case cls():
                return value
            case str() if value.lstrip().startswith(_pem):
                return cls(value.strip() + "\n")
            case str():
                return cls._from_versions([line.strip() for line in value.split("\n") if line.strip()])
            case list() | tuple() if all(isinstance(version, str) for version in value):
                return cls._from_versions(value)
        raise ValueError("must be a text, or a list of texts with the newest first")

    @classmethod
    def _from_versions(cls, versions: Sequence[str]) -> Self:
        if not versions or not all(versions):
            raise ValueError("must not be empty")
        return cls(*versions)


class Dsn(_Hidden):
    """The address of a server with its credentials, such as ``postgresql://user:password@host:5432/name``.

    Guarantee: repr, str, format and JSON show it without its password; pickling is refused.
    Errors: ValueError if it is no URL with a scheme.
    """

    __slots__ = ()

    _value: str

    def __init__(self, url: str) -> None:
        if "://" not in url:
            raise ValueError(
                "Dsn: no URL with a scheme; write it as postgresql://user:password@host:5432/name"
            )
        object.__setattr__(self, "_value", url)

    def reveal(self) -> str:
        """Return the whole URL, password included."""
        return self._value

    def __str__(self) -> str:
        return mask_url(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dsn):
            return NotImplemented
        return hmac.compare_digest(_joined((self._value,)), _joined((other._value,)))

    def __hash__(self) -> int:
        return hash(self._value)

    @classmethod
    def _parse(cls, value: object) -> Self:
        match value:
            case cls():
                return value
            case str() if "://" in value:
                return cls(value.strip())
        raise ValueError("must be a URL such as postgresql://user:password@host:5432/name")


def _joined(versions: tuple[str, ...]) -> bytes:
    return _encoded("\0".join(versions))


def _encoded(text: str) -> bytes:
    # compare_digest takes text in ASCII only; what was no UTF-8 comes from the environment as surrogates.
    return text.encode(errors="surrogatepass")
