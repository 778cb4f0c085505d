"""docs/adapter.schema.json and the library agree about what an adapter's document is."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT_IN = sorted((ROOT / "src/adapter/builtin").glob("*.json"))

# Every field and form of the schema, used once.
WHOLE: dict[str, Any] = {
    "id": "whole",
    "program": "whole",
    "prefix": "w-",
    "env": {"A": "$EPHEMERAL_HOME"},
    "env_unset": ["B"],
    "seed_files": {"s/t": "x"},
    "login": [
        {
            "profile": "a",
            "optional": True,
            "beside": False,
            "host": [
                {"keychain": "S", "variables": ["C"]},
                {"file": "~/.w/a"},
                {"file": "a", "directory": "~", "variables": ["C"]},
            ],
            "members": ["/auth/token", "/user"],
            "expiry": {"pointer": "/e", "format": "rfc3339"},
        }
    ],
    "token": {"variable": "T"},
    "share": {"variable": "V"},
    "trust": {"file": "t.json", "json": {"{directory}": "yes"}},
    "strict": {"env": {"D": "d"}, "env_unset": ["E"]},
    "argv": ["{program}", ["--effort", "{reasoning_effort}"], "{extra_argv}"],
    "leaks": ["One."],
}
# In the place of any value.
TEXTS = ("", "x", "/", "a/", "{", "=")
SUBSTITUTES: list[Any] = [None, True, False, 7, *TEXTS, [], ["x"], {}, {"x": "y"}]

# What the library knows better than a schema can.
BEYOND = (
    "unknown value",
    "without its }",
    "component",
    "where none of the variables is set",
    "must begin with ~/ or /, and name a file",
    "can't be shared by a link",
    "a login goes to",
)

Reason = Callable[[Any], str | None]


@pytest.fixture(scope="session")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((ROOT / "docs/adapter.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture(scope="session")
def reason() -> Reason:
    """Why the library refuses a document; None where it takes it."""
    library = ctypes.CDLL(os.environ["AGENT_VENV_LIBRARY"])
    library.avenv_error_message.restype = ctypes.c_char_p

    def ask(document: Any) -> str | None:
        out, error = ctypes.c_void_p(), ctypes.c_void_p()
        text = json.dumps(document).encode()
        status = library.avenv_adapter_definition_json(text, ctypes.byref(out), ctypes.byref(error))
        library.avenv_string_free(out)
        if status == 0:
            return None
        assert status == 9, "it is InvalidEnvironmentSpec"
        message: bytes = library.avenv_error_message(error)
        library.avenv_error_free(error)
        return message.decode()

    return ask


def changed(document: Any) -> Iterator[Any]:
    """The document with one value replaced, one field taken away, or one added, at every place."""
    if isinstance(document, dict):
        yield {**document, "colour": "red"}
        for key, value in document.items():
            yield {name: kept for name, kept in document.items() if name != key}
            yield from ({**document, key: each} for each in (*SUBSTITUTES, *changed(value)))
    elif isinstance(document, list):
        for i, value in enumerate(document):
            for each in (*SUBSTITUTES, *changed(value)):
                yield [*document[:i], each, *document[i + 1 :]]


@pytest.mark.parametrize("path", BUILT_IN, ids=lambda path: path.stem)
def test_a_built_in_document_is_one_and_is_named_by_its_id(
    path: Path, validator: jsonschema.Draft202012Validator, reason: Reason
) -> None:
    document = json.loads(path.read_text())
    validator.validate(document)
    assert reason(document) is None
    assert document["id"] == path.stem


def test_whatever_is_changed_in_a_document_both_take_it_or_both_refuse_it(
    validator: jsonschema.Draft202012Validator, reason: Reason
) -> None:
    documents = [deepcopy(WHOLE)]
    whole_file = {name: kept for name, kept in WHOLE["login"][0].items() if name != "members"}
    documents += [{**WHOLE, "share": {"link": True}, "login": [whole_file]}]
    documents += [{**WHOLE, "share": {"refused": "No."}}]
    documents += [{**WHOLE, "trust": {"file": "t.toml", "append": "[{directory:quoted}]\n"}}]
    tried = 0
    for document in documents:
        assert reason(document) is None
        validator.validate(document)
        for each in changed(document):
            tried += 1
            refused = reason(each)
            if validator.is_valid(each):
                assert refused is None or any(known in refused for known in BEYOND), (each, refused)
            else:
                assert refused is not None, (each, validator.iter_errors(each).__next__().message)
    assert tried > 2000
