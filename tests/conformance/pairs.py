"""One program makes an environment, and another attaches to it, refreshes it and destroys it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge import PEER, Answer
from program import Program

if TYPE_CHECKING:
    from run import Player

NAME = "shared \u00e9 \U0001f600 \"'\n/.."

SPEC = {
    "adapter_id": "shared",
    "env_overrides": {"SHARED_HOME": "$EPHEMERAL_HOME/x"},
    "seed_files": {"x/settings.json": "{}", "top": "\u00e9\n"},
    "credentials": {"key": "secret"},
    "file_modes": {"x/settings.json": 0o640, "top": 0o600},
}


class Wrong(Exception):  # noqa: N818
    """One of the two did not do as it should."""


class Work:
    """What one and the other do in one registry."""

    def __init__(self, one: Program, other: Program, folder: Path) -> None:
        self.one = one
        self.other = other
        self.registry = folder / "registry"
        self.login = folder / "login.json"
        folder.mkdir(parents=True)

    def ask(self, program: Program, op: str, **fields: Any) -> Answer:
        request = {"op": op, "name": NAME, "registry_root": str(self.registry), **fields}
        answer = program.ask({"case_id": "pair", **request})
        if not answer["ok"]:
            raise Wrong(f"{program.language} does not know {op}: {answer}")
        return answer

    def done(self, program: Program, op: str, **fields: Any) -> Answer:
        answer = self.ask(program, op, **fields)
        if "error" in answer:
            raise Wrong(f"{program.language} answers {op} with {answer['error']}")
        return answer

    def fails(self, program: Program, kind: str, op: str, **fields: Any) -> None:
        answer = self.ask(program, op, **fields)
        if answer.get("error", {}).get("kind") != kind:
            raise Wrong(f"{program.language} answers {op} with {answer}, not {kind}")

    def play(self) -> str | None:
        adapter = {} if PEER in (self.one.language, self.other.language) else self.adapter()
        spec = {**SPEC, **adapter}
        made = self.done(self.one, "persistent_create_attach_idempotent", spec=spec)
        path, files = Path(made["paths"][0]), made["second_path_files_present"]
        expected = ["key", *(["login.json"] if adapter else []), "top", "x/settings.json"]
        if sorted(files) != expected:
            return f"{self.one.language} made {files}"

        found = self.done(self.other, "persistent_attach_only")
        shown = (found["path"], sorted(found["files_present"]), kinds(found))
        if shown != (str(path), expected, ["env.attached", "registry.read"]):
            return f"{self.other.language} attaches to {found}, and {path} was made"
        again = self.done(self.other, "persistent_create_attach_idempotent", spec=spec)
        if again["paths"] != [str(path)] * 2 or kinds(again)[0] != "env.attached":
            return f"{self.other.language} makes it again: {again}"
        if self.other.language != PEER:
            self.refresh(path, found, adapter)
        listed = self.done(self.other, "persistent_list", names=[])["names_listed"]
        if listed != [NAME]:
            return f"{self.other.language} lists {listed}"
        mismatch = {"first_spec": spec, "second_adapter_id": "another"}
        self.fails(self.other, "AdapterMismatch", "persistent_attach_mismatch", **mismatch)
        return self.destroy(path, spec)

    def adapter(self) -> dict[str, Any]:
        self.login.write_text('{"token":"old"}')
        login = [{"profile": "login.json", "host": [{"file": str(self.login)}]}]
        return {"adapter": {"id": "shared", "program": "shared", "login": login}}

    def refresh(self, path: Path, found: Answer, adapter: dict[str, Any]) -> None:
        self.done(self.other, "x_attach", adapter_id="shared")
        self.fails(self.other, "AdapterMismatch", "x_attach", adapter_id="another")
        wanted = {"SHARED_HOME": f"{path}/x"}
        if found["env_overrides"] != wanted:
            raise Wrong(f"{self.other.language} has {found['env_overrides']}, not {wanted}")
        if adapter:
            self.login.write_text('{"token":"new"}')
            self.done(self.other, "x_refresh")
            self.holds(path / "login.json", json.dumps({"token": "new"}, separators=(",", ":")))
        else:
            self.fails(self.other, "InvalidEnvironmentSpec", "x_refresh")
        self.done(self.other, "x_refresh", spec={"credentials": {"key": "renewed"}})
        self.holds(path / "key", "renewed")

    def holds(self, file: Path, text: str) -> None:
        if file.read_text() != text:
            raise Wrong(f"{file.name} holds {file.read_text()!r}, not {text!r}")

    def destroy(self, path: Path, spec: dict[str, Any]) -> str | None:
        if self.other.language == PEER:
            gone = self.done(self.other, "persistent_destroy_by_name", spec=spec)
        else:
            gone = self.done(self.other, "x_destroy")
        if gone["path_exists_after"] or gone["name_in_index_after"]:
            return f"{self.other.language} did not destroy it: {gone}"
        self.fails(self.one, "EnvironmentNotFound", "persistent_attach_missing")
        listed = self.done(self.one, "persistent_list", names=[])["names_listed"]
        left = list(path.parent.parent.iterdir())
        return (
            f"{self.one.language} lists {listed}, and there is {left}" if listed or left else None
        )


def kinds(answer: Answer) -> list[str]:
    return [event["kind"] for event in answer["events"]]


def play(one: Player, other: Player, folder: Path) -> str | None:
    """What is wrong between two programs."""
    try:
        return Work(one.program, other.program, folder).play()
    except Wrong as reason:
        return str(reason)
