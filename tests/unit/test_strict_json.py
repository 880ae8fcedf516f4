"""JSON that two readers could understand differently is refused, and what is written is read back."""

import json
import time
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_lib import strict_json
from platform_lib.errors import PlatformError
from platform_lib.strict_json import StrictJsonError, dumps, loads

texts = st.text(st.characters(exclude_categories=["Cs"]))
integers = st.integers(-(2**63), 2**63 - 1)
documents = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=20,
)


@given(documents)
def test_what_is_written_is_read_back(document: Any) -> None:
    assert loads(dumps(document)) == document


@given(documents)
def test_the_written_form_is_canonical(document: Any) -> None:
    """However a document was laid out, writing it gives the same bytes."""
    spread_out = json.dumps(document, indent=3, ensure_ascii=True)

    assert dumps(loads(spread_out)) == dumps(document)


@given(st.recursive(st.floats(allow_nan=False, allow_infinity=False) | integers, st.lists, max_leaves=5))
def test_floats_are_read_back_where_they_are_allowed(document: Any) -> None:
    assert loads(dumps(document, allow_floats=True), allow_floats=True) == document


def read(body: bytes | str, *, allow_floats: bool = False) -> tuple[Any, int]:
    """Return the value of *body*, or the position of what is wrong with it."""
    try:
        return loads(body, allow_floats=allow_floats, max_depth=5), 0
    except StrictJsonError as error:
        return refused, error.position


refused = object()


@given(st.binary())
def test_no_bytes_raise_anything_but_the_documented_error(body: bytes) -> None:
    _, position = read(body)

    assert 0 <= position <= len(body)


fragments = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"',
    '"a"',
    '"a":',
    "1",
    "-",
    ".",
    "e9",
    "NaN",
    "\\",
    "\\ud800",
    "null",
    " ",
]


@given(
    text=st.lists(st.sampled_from([*fragments, "9" * 30]), max_size=30).map("".join),
    allow_floats=st.booleans(),
)
def test_no_text_raises_anything_but_the_documented_error(text: str, *, allow_floats: bool) -> None:
    value, position = read(text, allow_floats=allow_floats)

    assert 0 <= position <= len(text)
    assert value is refused or value == json.loads(text)


@pytest.mark.parametrize(
    ("text", "reason", "position"),
    [
        ('{"a":1,"a":2}', "the same name twice", 7),
        ('{"a":1,"\\u0061":2}', "the same name twice", 7),
        ('{"a":[{"b":1},{"b":1,"c":"b","b":2}]}', "the same name twice", 29),
        ('["a","a",{"a":"a"},{"a":{"a":1}},1.5]', "a number with a fraction", 33),
        ("[1.0]", "a number with a fraction", 1),
        ("1e2", "a number with a fraction", 0),
        ('{"1.5":-0.0}', "a number with a fraction", 7),
        ("[NaN]", "NaN is no JSON", 1),
        ("Infinity", "Infinity is no JSON", 0),
        ("[1,-Infinity]", "-Infinity is no JSON", 3),
        ("9223372036854775808", "an integer beyond 64 bits", 0),
        ("[-9223372036854775809]", "an integer beyond 64 bits", 1),
        ("9" * 10_000, "an integer beyond 64 bits", 0),
        ('["\\ud83d\\ude00","\\ud800"]', "a lone surrogate", 16),
        ('{"\\udc00":1}', "a lone surrogate", 1),
        ('"\ud800"', "a lone surrogate", 0),
        ("[" * 33 + "]" * 33, "nested deeper than 32", 32),
        ('[{"[[[[":[' + "[" * 40, "nested deeper than 32", 39),
        ("\ufeff1", "a byte order mark", 0),
        ("", "expecting value", 0),
        ("[1,]", "", 3),
        ("01", "extra data", 1),
        ('"\t"', "invalid control character", 1),
        ("{'a':1}", "expecting property name", 1),
        ("1 2", "extra data", 2),
    ],
)
def test_refusals_say_what_is_wrong_and_where(text: str, reason: str, position: int) -> None:
    with pytest.raises(StrictJsonError) as caught:
        loads(text)

    assert caught.value.reason.startswith(reason)
    assert caught.value.position == position


def test_a_body_that_is_not_utf_8_is_refused_at_its_byte() -> None:
    with pytest.raises(StrictJsonError, match="not UTF-8 at position 3"):
        loads(b'"\xc3\xa9\xff"')
    with pytest.raises(StrictJsonError):
        loads('{"a":1}'.encode("utf-16"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b' {"b":[true,null],"a":{}} \n', {"b": [True, None], "a": {}}),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("-0", 0),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\\\ud800"', "\\ud800"),
        ("[" * 32 + "]" * 32, json.loads("[" * 32 + "]" * 32)),
        ('["' + "[" * 50 + '"]', ["[" * 50]),
        ("[[],[]]", [[], []]),
    ],
)
def test_json_with_one_meaning_is_read(text: str | bytes, value: Any) -> None:
    assert loads(text) == value


def test_depth_counts_nesting_and_not_brackets() -> None:
    wide = "[" + ",".join(["[]"] * 1000) + "]"

    assert len(loads(wide, max_depth=2)) == 1000
    with pytest.raises(StrictJsonError, match="nested deeper than 1 at position 1"):
        loads(wide, max_depth=1)


def test_nesting_beyond_the_decoder_is_refused_whatever_depth_is_allowed() -> None:
    with pytest.raises(StrictJsonError, match="nested deeper"):
        loads("[" * 200_000, max_depth=10**9)


def test_infinite_floats_are_refused_even_where_floats_are_allowed() -> None:
    assert loads("1.5e3", allow_floats=True) == 1500
    with pytest.raises(StrictJsonError, match="too large at position 1"):
        loads("[1e999]", allow_floats=True)


@pytest.mark.parametrize(
    "text", ['{"pan":"4111111111111111","pan":1}', '["4111111111111111",1.5]', '"4111111111111111']
)
def test_neither_the_error_nor_what_hangs_on_it_quotes_the_body(text: str) -> None:
    with pytest.raises(StrictJsonError) as caught:
        loads(text)

    assert "4111" not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert isinstance(caught.value, PlatformError)


def test_hostile_bodies_are_refused_in_linear_time() -> None:
    """A quarter of a mebibyte of quotation marks, brackets or escapes: quadratic work would take minutes."""
    began = time.perf_counter()

    for hostile in ('"' * 262_144, '\\"' * 131_072, '[{"' * 87_381, '["' + '\\"' * 131_000, "[]" * 131_072):
        with pytest.raises(StrictJsonError):
            loads(hostile)

    assert time.perf_counter() - began < 10


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {1: 2}}, r"\$\.a has a name of type int"),
        ({"a": [1, object()]}, r"\$\.a\[1\] is a object"),
        ([b"x"], r"\$\[0\] is a bytes"),
        ({1, 2}, r"\$ is a set"),
    ],
)
def test_what_json_has_no_word_for_is_not_written(value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        dumps(value)


@pytest.mark.parametrize("value", [1.5, [float("nan")], {"a": 2**63}, "\ud800", {"\ud800": 1}])
def test_what_would_not_be_read_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON: "):
        dumps(value)


def test_infinite_floats_are_never_written() -> None:
    with pytest.raises(ValueError, match="is a float"):
        dumps(float("inf"), allow_floats=True)


def test_names_are_sorted_and_characters_stay_as_they_are() -> None:
    assert dumps(MappingProxyType({"b": (1, 2), "a": "é\n"})) == '{"a":"é\\n","b":[1,2]}'.encode()


def test_both_readers_are_the_c_decoder() -> None:
    """Python's own scanner is twenty times slower; a hook of the wrong kind would switch to it silently."""
    for decoder in (strict_json._without_floats, strict_json._with_floats):
        assert type(vars(decoder)["scan_once"]).__name__ == "Scanner"
