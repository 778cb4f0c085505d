"""The conformance program, `python -m agent_venv.conformance`: this package, driven by a suite.

It answers requests on standard input, one line of JSON each, as a caller of the package would.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent_venv import (
    AgentAdapter,
    Environment,
    EnvironmentSpec,
    Event,
    __version__,
    capabilities,
    reap,
    repair,
)
from agent_venv.errors import AgentVenvError

Answer = dict[str, Any]


class NotARequest(Exception):  # noqa: N818
    """What came in cannot be carried out."""


class Request:
    """A request's fields, each of the type that its operation needs."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def text(self, field: str) -> str:
        value = self._fields.get(field)
        if not isinstance(value, str):
            raise NotARequest(f"{field} must be a string")
        return value

    def texts(self, field: str) -> list[str]:
        values = self._fields.get(field)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise NotARequest(f"{field} must be a list of strings")
        return values

    def integer(self, field: str) -> int | None:
        value = self._fields.get(field)
        if value is not None and type(value) is not int:
            raise NotARequest(f"{field} must be an integer")
        return value

    def flag(self, field: str) -> bool:
        value = self._fields.get(field, False)
        if not isinstance(value, bool):
            raise NotARequest(f"{field} must be a boolean")
        return value

    def spec(self, field: str = "spec") -> EnvironmentSpec | None:
        value = self._fields.get(field)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise NotARequest(f"{field} must be an object")
        return EnvironmentSpec.from_dict(value)

    @property
    def name(self) -> str:
        return self.text("name")

    @property
    def registry_root(self) -> str:
        return self.text("registry_root")

    def create(self, spec: EnvironmentSpec | None) -> Environment:
        return Environment.create_or_attach(self.name, spec, registry_root=self.registry_root)

    def attach(self, adapter: str | None = None) -> Environment:
        return Environment.attach(self.name, adapter=adapter, registry_root=self.registry_root)

    def is_listed(self) -> bool:
        return self.name in Environment.list(registry_root=self.registry_root)


def ephemeral_lifecycle(request: Request) -> Answer:
    with Environment.ephemeral(request.spec()) as env:
        inspection = {
            "path": str(env.path),
            "exists": env.path.exists(),
            "env_overrides": env.env_overrides,
            "files_present": files_in(env.path),
            "file_modes": {file: mode_of(env.path / file) for file in files_in(env.path)},
        }
    after = {"path_exists": env.path.exists()}
    return {"inspection": inspection, "after_destroy": after, "events": told(env)}


def persistent_create_attach_idempotent(request: Request) -> Answer:
    spec = request.spec()
    first = request.create(spec)
    second = request.create(spec)
    return {
        "paths": [str(first.path), str(second.path)],
        "second_path_files_present": files_in(second.path),
        "events": told(first, second),
    }


def persistent_attach_only(request: Request) -> Answer:
    return shown(request.attach())


def persistent_list(request: Request) -> Answer:
    root, spec = request.registry_root, request.spec()
    for name in request.texts("names"):
        Environment.create_or_attach(name, spec, registry_root=root)
    return {"names_listed": Environment.list(registry_root=root)}


def persistent_destroy_by_name(request: Request) -> Answer:
    env = request.create(request.spec())
    env.destroy()
    return {
        "created_path": str(env.path),
        "path_exists_after": env.path.exists(),
        "name_in_index_after": request.is_listed(),
        "events": told(env),
    }


def persistent_attach_mismatch(request: Request) -> Answer:
    second_spec = EnvironmentSpec.from_dict({"adapter_id": request.text("second_adapter_id")})
    first = request.create(request.spec("first_spec"))
    second = request.create(second_spec)
    return {**shown(second), "events": told(first, second)}


def x_attach(request: Request) -> Answer:
    return shown(request.attach(request.text("adapter_id")))


def x_login_status(request: Request) -> Answer:
    env = request.attach()
    return {"login": dataclasses.asdict(env.login_status()), "events": told(env)}


def x_refresh(request: Request) -> Answer:
    spec, force = request.spec(), request.flag("force")
    env = request.attach()
    env.refresh_credentials(spec, force=force)
    return {"path": str(env.path), "files_present": files_in(env.path), "events": told(env)}


def x_refresh_destroyed(request: Request) -> Answer:
    spec = request.spec()
    env = request.create(spec)
    env.destroy()
    env.refresh_credentials(spec)
    return {"events": told(env)}


def x_destroy(request: Request) -> Answer:
    env = request.attach()
    env.destroy()
    env.destroy()
    return {
        "path": str(env.path),
        "path_exists_after": env.path.exists(),
        "name_in_index_after": request.is_listed(),
        "events": told(env),
    }


def x_destroy_by_name(request: Request) -> Answer:
    Environment.destroy_by_name(
        request.name,
        registry_root=request.registry_root,
        lock_timeout_ms=request.integer("lock_timeout_ms"),
    )
    return {"name_in_index_after": request.is_listed()}


def x_repair(request: Request) -> Answer:
    return {"report": repair(registry_root=request.registry_root)}


def x_reap(request: Request) -> Answer:
    ephemeral_root = request.text("ephemeral_root")
    report = reap(registry_root=request.registry_root, ephemeral_root=ephemeral_root)
    return {"report": report}


def x_ensure_available(request: Request) -> Answer:
    class Asked(AgentAdapter):
        id = request.text("adapter_id")
        cli_bin = request.text("cli_bin")

        def build_spec(self, *, load_credentials: bool | None = None) -> EnvironmentSpec:
            return EnvironmentSpec(self.id)

    Asked().ensure_available()
    return {}


OPERATIONS: dict[str, Callable[[Request], Answer]] = {
    "ephemeral_lifecycle": ephemeral_lifecycle,
    "persistent_create_attach_idempotent": persistent_create_attach_idempotent,
    "persistent_attach_only": persistent_attach_only,
    "persistent_attach_missing": persistent_attach_only,
    "persistent_list": persistent_list,
    "persistent_destroy_by_name": persistent_destroy_by_name,
    "persistent_attach_mismatch": persistent_attach_mismatch,
    "x_attach": x_attach,
    "x_login_status": x_login_status,
    "x_refresh": x_refresh,
    "x_refresh_destroyed": x_refresh_destroyed,
    "x_destroy": x_destroy,
    "x_destroy_by_name": x_destroy_by_name,
    "x_repair": x_repair,
    "x_reap": x_reap,
    "x_ensure_available": x_ensure_available,
}


def shown(env: Environment) -> Answer:
    return {
        "path": str(env.path),
        "files_present": files_in(env.path),
        "env_overrides": env.env_overrides,
        "events": told(env),
    }


def told(*environments: Environment) -> list[Answer]:
    return as_told([event for env in environments for event in env.events()])


def as_told(events: list[Event]) -> list[Answer]:
    return [event.to_dict() for event in events]


def files_in(profile: Path) -> list[str]:
    """Regular files, as paths below the profile, in the order of their bytes."""
    found = []
    for folder, _, names in os.walk(profile):
        paths = (Path(folder, name) for name in names)
        regular = (path for path in paths if path.is_file() and not path.is_symlink())
        found += [str(path.relative_to(profile)) for path in regular]
    return sorted(found, key=os.fsencode)


def mode_of(file: Path) -> int:
    return file.stat().st_mode & 0o777


def answer(line: bytes) -> Answer:
    case_id = ""
    try:
        fields = parsed(line)
        if isinstance(fields.get("case_id"), str):
            case_id = fields["case_id"]
        operation = OPERATIONS.get(str(fields.get("op")))
        if operation is None:
            raise NotARequest(f"no operation is called {fields.get('op')!r}")
        done = operation(Request(fields))
    except AgentVenvError as failure:
        error: Answer = {"kind": failure.kind, "message": failure.message}
        error |= {"payload": failure.payload, "events": as_told(failure.events)}
        return {"case_id": case_id, "ok": True, "events": [], "error": error}
    except NotARequest as reason:
        error = {"kind": "InternalInvariantViolation", "message": str(reason)}
        return {"case_id": case_id, "ok": False, "events": [], "error": error}
    return {"case_id": case_id, "ok": True, "events": [], **done}


def parsed(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line.decode(), parse_constant=refuse)
    except (ValueError, RecursionError) as reason:
        raise NotARequest(f"a line is not JSON: {reason}") from None
    if not isinstance(fields, dict):
        raise NotARequest("a request must be an object")
    return fields


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not in JSON, though Python takes it")


def say(words: Answer) -> None:
    # Escaped, and so the same in every locale.
    print(json.dumps(words, separators=(",", ":")), flush=True)


def main() -> None:
    banner = {"protocol": "agent-venv.conformance", "version": 2, "language": "python"}
    banner["package_version"] = __version__
    banner["spec_version"] = capabilities()["spec_version"]
    say(banner)
    for line in sys.stdin.buffer:
        say(answer(line))


if __name__ == "__main__":
    main()
