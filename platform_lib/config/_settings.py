"""The base class of all settings of one process."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

from pydantic import PrivateAttr

from platform_lib.config._fields import check_names
from platform_lib.config._origins import Trail
from platform_lib.config._section import Section

_prefix_form = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")


class Settings(Section):
    """All settings of one process; a service subclasses it and names the prefix of its variables.

    Examples:
        >>> class ShopSettings(Settings, prefix="SHOP"):
        ...     currency: str = "EUR"
        >>> [variable.name for variable in environment_variables(ShopSettings)]
        ['SHOP_ENVIRONMENT', 'SHOP_CURRENCY']
    """

    variable_prefix: ClassVar[str] = ""
    """What the names of the environment variables begin with."""

    environment: Literal["development", "test", "production"] = "development"
    """Where the process runs; ``.env`` is read in development only."""

    _trail: Trail = PrivateAttr(default_factory=Trail)

    def __init_subclass__(cls, *, prefix: str | None = None, **kwargs: Any) -> None:
        """Take the prefix of the variables; without one the parent's holds."""
        super().__init_subclass__(**kwargs)
        if prefix is None:
            return
        if not _prefix_form.fullmatch(prefix):
            raise TypeError(
                f"{cls.__name__}: the prefix {prefix!r} is no variable name; use one like 'PAYMENTS'"
            )
        cls.variable_prefix = prefix

    @classmethod
    def __pydantic_init_subclass__(cls, *, prefix: str | None = None, **kwargs: Any) -> None:
        """Refuse a class whose variables cannot be told apart."""
        super().__pydantic_init_subclass__(**kwargs)
        if cls.variable_prefix and cls.__pydantic_complete__:
            check_names(cls, cls.variable_prefix)
