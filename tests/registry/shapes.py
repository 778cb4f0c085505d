"""Wrong JSON files, made from a right one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Shapes = dict[str, Callable[[Json], bytes]]

HUGE = 100 << 20
WRONG_VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": 7,
    "a float": 1.5,
    "a string": "text",
    "a list": [],
    "a list of lists": [["a", "b"]],
    "an object": {},
    "an object of objects": {"a": {"b": "c"}},
}


def encoded(value: object) -> bytes:
    return json.dumps(value, indent=2).encode()


def constant(content: bytes) -> Callable[[Json], bytes]:
    return lambda _: content


def with_field(field: str, value: Any) -> Callable[[Json], bytes]:
    return lambda good: encoded({**good, field: value})


def without(field: str) -> Callable[[Json], bytes]:
    return lambda good: encoded({key: value for key, value in good.items() if key != field})


def with_text(text: str) -> Callable[[Json], bytes]:
    """The right file with one more field, that JSON's own writer would not write."""
    return lambda good: encoded(good)[:-2] + f',"added":{text}\n}}'.encode("utf-8", "surrogatepass")


def twice(field: str) -> Callable[[Json], bytes]:
    """The field is there again, with the very same value."""
    return lambda good: (
        encoded(good)[:-2] + f",{encoded(field).decode()}:".encode() + encoded(good[field]) + b"}"
    )


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    """As deep as that, within an object that is itself one deep."""
    return opening * (depth - 1) + closing * (depth - 1)


NOT_JSON: Shapes = {
    "empty": constant(b""),
    "white space": constant(b" \r\n\t "),
    "zeros": constant(bytes(512)),
    "half a word": constant(b"nul"),
    "an opening brace": constant(b"{"),
    "a Python literal": lambda good: repr(good).encode(),
    "cut off by a block of zeros": lambda good: encoded(good)[:30] + bytes(4096),
    "a zero behind it": lambda good: encoded(good) + b"\0",
    "text behind it": lambda good: encoded(good) + b"x",
    "twice in a row": lambda good: encoded(good) * 2,
    "its end of an older, longer one": lambda good: encoded(good) + encoded(good)[-20:],
    "a comma too many": lambda good: encoded(good)[:-1] + b",}",
    "a comma too few": lambda good: encoded(good).replace(b",", b"", 1),
    "a comment": lambda good: b"// version 1\n" + encoded(good),
    "single quotes": lambda good: encoded(good).replace(b'"', b"'"),
    "NaN": with_text("NaN"),
    "Infinity": with_text("-Infinity"),
    "a number with a leading zero": with_text("01"),
    "a line break in a string": with_text('"a\nb"'),
    "an unknown escape": with_text(r'"\x41"'),
    "half an escape": with_text(r'"\u12"'),
    "a lone surrogate": with_text(r'"\ud800"'),
    "a lone low surrogate": with_text(r'"\udc00 "'),
    "a lone surrogate in a key": with_text(r'{"\ud83d":1}'),
    "a surrogate in UTF-8": with_text('"\ud800"'),
    "Latin-1": lambda good: encoded({**good, "added": "@"}).replace(b"@", b"\xfc"),
    "overlong UTF-8": lambda good: encoded({**good, "added": "@"}).replace(b"@", b"\xc0\xaf"),
    "UTF-16": lambda good: encoded(good).decode().encode("utf-16"),
    "a byte order mark": lambda good: b"\xef\xbb\xbf" + encoded(good),
    "compressed": constant(b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0C\xbf\xa6\xa3\x02\0\0\0"),
    "nested 65 deep": with_text(nested(65)),
    "nested 65 deep in objects": with_text(nested(65, '{"a":', "}").replace(":}", ":{}}", 1)),
    "nested 100,000 deep": with_text(nested(100_000)),
    "nested 100,000 deep and cut off": constant(b'{"schema_version":1,"added":' + b"[" * 100_000),
    "nothing but brackets": constant(b"[" * 100_000),
    "100 MB of white space behind it": lambda good: encoded(good).ljust(HUGE),
    "100 MB of zeros": constant(bytes(HUGE)),
    "a key twice in an unknown field": with_text('{"a":1,"a":1}'),
    "schema_version twice": twice("schema_version"),
}
"""Of whichever file it is made."""

OTHER_VERSIONS: Shapes = {
    "schema_version missing": without("schema_version"),
    **{
        f"schema_version {text}": (
            lambda good, text=text: encoded({**good, "schema_version": "@"}).replace(
                b'"@"', text.encode()
            )
        )
        for text in (
            *("2", "99", "-1", "0", "1.0", "1e0", "1.5", "true", "null", '"1"', "[1]", '{"1":1}'),
            *("18446744073709551615", "18446744073709551617", "100000000000000000000"),
        )
    },
}
NOT_OBJECTS: Shapes = {
    text: constant(text.encode())
    for text in (
        "null",
        "true",
        "0",
        "1.5",
        '"index"',
        "[]",
        "[[]]",
        '[{"schema_version":1}]',
        "{}",
    )
}
EVERY: Shapes = {**NOT_JSON, **OTHER_VERSIONS, **NOT_OBJECTS}
