"""The fields of a settings class, flattened: each leaf with its dotted name and its variable."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic_core import PydanticUndefined

from platform_lib.config._secret import Dsn, Secret
from platform_lib.config._section import Section

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


Shape = Literal["text", "scalar", "list", "json"]
Path = tuple[str, ...]

config_file = "CONFIG_FILE"
secrets_directory = "SECRETS_DIR"
_reserved = (config_file, secrets_directory)
_hidden_types = (Secret, Dsn, SecretStr, SecretBytes)
_looks_secret = ("password", "passwd", "secret", "api_key", "private_key", "token", "credential")


class Reloadable:
    """Marks a field that may change while the process runs: ``Annotated[Secret, Reloadable()]``.

    Mark one only if something takes up the new value, see `Reloader.subscribe`.
    """


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field that holds a value rather than a section.

    Attributes:
        path: the names from the settings down to the field.
        annotation: its type, without the outermost `Annotated`.
        metadata: what `Annotated` and ``Field()`` said besides.
        shape: how a text from the environment becomes a value: as it is, by its type, as a list, as JSON.
        secret: whether its value must never be shown.
        optional_section: the outermost section on the way that may be None as a whole.
        default: the value without any source, `PydanticUndefined` if there is none.
        inherited: whether *default* comes from a default object of a section above.
    """

    path: Path
    annotation: Any
    metadata: tuple[Any, ...]
    shape: Shape
    secret: bool
    optional_section: Path | None
    default: Any = field(repr=False)
    inherited: bool
    description: str

    @property
    def dotted(self) -> str:
        """Return the name as people write it: ``http.port``."""
        return ".".join(self.path)

    @property
    def required(self) -> bool:
        """Tell whether there is no default."""
        return self.default is PydanticUndefined

    @property
    def reloadable(self) -> bool:
        """Tell whether it may change while the process runs."""
        return any(isinstance(item, Reloadable) for item in (*self.metadata, *_inner(self.annotation)))

    def variable(self, prefix: str) -> str:
        """Return the name of the environment variable that sets it."""
        return "_".join((prefix, *self.path)).upper()


@functools.cache
def leaves(settings_type: type[Section]) -> tuple[Leaf, ...]:
    """Return every leaf of *settings_type* in the order of declaration, depth first."""
    if not settings_type.__pydantic_complete__:
        settings_type.model_rebuild()
    return tuple(_walk(settings_type, (), None, None))


def check_names(settings_type: type[Section], prefix: str) -> None:
    """Refuse two fields with the same variable, and a field that takes a variable of the loader itself.

    Errors: TypeError, while the class is being made.
    """
    taken: dict[str, str] = {f"{prefix}_{name}": f"the loader's own {name}" for name in _reserved}
    for leaf in leaves(settings_type):
        name = leaf.variable(prefix)
        if name in taken:
            raise TypeError(
                f"{settings_type.__name__}: {leaf.dotted} and {taken[name]} share the variable {name}; "
                "rename one of them"
            )
        taken[name] = leaf.dotted


def section_of(annotation: Any) -> type[Section] | None:
    """Return the section that *annotation* means, through `Annotated` and ``| None``, or None."""
    plain, _ = _unwrapped(annotation)
    return plain if isinstance(plain, type) and issubclass(plain, Section) else None


def _walk(
    section: type[Section], path: Path, optional: Path | None, defaults: Section | None
) -> Iterator[Leaf]:
    for name, info in section.model_fields.items():
        here = (*path, name)
        default, inherited = _default(name, info, defaults)
        inner = section_of(info.annotation)
        if inner is not None:
            _, may_be_none = _unwrapped(info.annotation)
            absent = may_be_none and default is None
            yield from _walk(
                inner,
                here,
                optional or (here if absent else None),
                default if isinstance(default, inner) else None,
            )
            continue
        yield Leaf(
            path=here,
            annotation=info.annotation,
            metadata=tuple(info.metadata),
            shape=_shape(info.annotation),
            secret=_is_secret(info.annotation) or name.endswith(_looks_secret),
            optional_section=optional,
            default=default,
            inherited=inherited,
            description=" ".join((info.description or "").split()),
        )


def _default(name: str, info: FieldInfo, defaults: Section | None) -> tuple[Any, bool]:
    if defaults is not None and name in defaults.model_fields_set:
        return getattr(defaults, name), True
    return info.get_default(call_default_factory=True, validated_data={}), False


def _unwrapped(annotation: Any) -> tuple[Any, bool]:
    """Return *annotation* without `Annotated` and ``| None``, and whether None was allowed."""
    if get_origin(annotation) is Annotated:
        return _unwrapped(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        others = [part for part in get_args(annotation) if part is not types.NoneType]
        if len(others) == 1:
            return _unwrapped(others[0])[0], len(others) < len(get_args(annotation))
    return annotation, False


def _shape(annotation: Any) -> Shape:
    plain, may_be_none = _unwrapped(annotation)
    if plain is str:
        return "scalar" if may_be_none else "text"
    origin = get_origin(plain) or plain
    if not isinstance(origin, type) or issubclass(origin, str | bytes):
        return "scalar"
    if issubclass(origin, Sequence | AbstractSet):
        return "list"
    return "json" if issubclass(origin, Mapping | BaseModel) else "scalar"


def _inner(annotation: Any) -> Iterator[Any]:
    """Yield what `Annotated` says inside, as in ``Annotated[Secret, Reloadable()] | None``."""
    yield from getattr(annotation, "__metadata__", ())
    for part in get_args(annotation):
        yield from _inner(part)


def _is_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, _hidden_types):
        return True
    return any(_is_secret(part) for part in get_args(annotation))
