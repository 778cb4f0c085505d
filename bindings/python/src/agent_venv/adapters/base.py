"""What an adapter is, and the ones that are data."""

from __future__ import annotations

import abc
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

from .._calls import call, call_for_json, encode, encode_json
from ..spec import EnvironmentSpec


class AgentAdapter(abc.ABC):
    """An agent's needs. Subclass it and write `build_spec` for an agent of your own."""

    id: str
    cli_bin: str
    config_env_var: str

    @abc.abstractmethod
    def build_spec(self, *, load_credentials: bool | None = None) -> EnvironmentSpec:
        """What an environment for this agent shall hold.

        Called when an environment is made, and again when its credentials are refreshed.
        """

    def build_argv(
        self, prompt: str, *, workspace: str | os.PathLike[str] | None = None
    ) -> list[str]:
        """The command line for an unattended run."""
        raise NotImplementedError(f"{type(self).__name__} has no command line of its own")

    def ensure_available(self) -> None:
        """Raise AdapterUnavailableError where the agent's program is not on PATH."""
        definition = {"id": self.id, "program": self.cli_bin}
        call("avenv_adapter_ensure_available", encode_json(definition, "adapter"))


@dataclass(kw_only=True, eq=False, repr=False)
class DefinedAdapter(AgentAdapter):
    """An adapter whose definition the library reads: what it knows of the agent is data.

    login                what becomes of the host's login: "copy" (default), "none", "share" (the
                         agent uses the host's in place), or "token" (it gets a long-lived token by
                         a variable, read at each attach and written nowhere)
    token_env            for "token": the variable that holds it; default: the agent's own
    token_file           or the file that holds it, which only its owner may read
    isolation            "standard" (default), or "strict": close also what else variables can close
    trusted_directories  absolute paths which the agent shall trust without asking
    load_credentials     False is an older form of login="none"
    model, reasoning_effort, extra_argv
                         for `build_argv`
    """

    model: str | None = None
    reasoning_effort: str | None = None
    login: Literal["copy", "none", "share", "token"] | None = None
    token_env: str | None = None
    token_file: str | os.PathLike[str] | None = None
    isolation: Literal["standard", "strict"] | None = None
    trusted_directories: Sequence[str | os.PathLike[str]] | None = None
    load_credentials: bool = True
    extra_argv: list[str] | None = None

    _definition: ClassVar[str | dict[str, Any]]

    def __post_init__(self) -> None:
        self.extra_argv = list(self.extra_argv or [])

    def build_spec(self, *, load_credentials: bool | None = None) -> EnvironmentSpec:
        """A spec that names this adapter.

        It holds no secret: the library reads the login when the environment is made. What is
        set in it is laid over the adapter's own.
        """
        options = self._options()
        if load_credentials is not None:
            options["load_credentials"] = load_credentials
        return EnvironmentSpec(self.id, adapter=self._definition, options=options)

    def build_argv(
        self, prompt: str, *, workspace: str | os.PathLike[str] | None = None
    ) -> list[str]:
        """The command line for an unattended run, which needs a model.

        The prompt is not in it: give it to the agent's standard input.
        """
        options = self._options()
        if workspace is not None:
            options["workspace"] = _plain(workspace)
        adapter = _as_argument(self._definition)
        argv: list[str] = call_for_json(
            "avenv_adapter_argv_json", adapter, encode_json(options, "options")
        )
        return argv

    def _options(self) -> dict[str, Any]:
        given = {each.name: getattr(self, each.name) for each in fields(DefinedAdapter)}
        return {name: _plain(value) for name, value in given.items() if value not in (None, [], ())}


class BuiltInAdapter(DefinedAdapter):
    """An adapter that the library has."""

    def __init_subclass__(cls, *, built_in: str | None = None, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if built_in is not None:
            cls._definition = built_in
            cls.id, cls.cli_bin, cls.config_env_var = _described(built_in)


@dataclass(kw_only=True, eq=False, repr=False)
class DataAdapter(DefinedAdapter):
    """An adapter by its id, or by its definition: `DataAdapter("codex", login="share")`.

    The id is that of a built-in one, or of a document of yours: `<id>.json` in
    `$XDG_CONFIG_HOME/agent-venv/adapters`. A definition has the same fields as a document.
    """

    adapter: str | Mapping[str, Any] = field(kw_only=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._definition = self.adapter if isinstance(self.adapter, str) else dict(self.adapter)  # type: ignore[misc]
        self.id, self.cli_bin, self.config_env_var = _described(self._definition)


def _described(adapter: str | dict[str, Any]) -> tuple[str, str, str]:
    """Id, program, and the variable that is the profile's path; empty where there is none."""
    definition = call_for_json("avenv_adapter_definition_json", _as_argument(adapter))
    variables = definition.get("env", {}).items()
    moves = (name for name, value in variables if value == "$EPHEMERAL_HOME")
    return definition["id"], definition["program"], next(moves, "")


def _as_argument(adapter: str | dict[str, Any]) -> bytes:
    if isinstance(adapter, str):
        return encode(adapter, "adapter")
    return encode_json(adapter, "adapter")


def _plain(value: Any) -> Any:
    """Paths as text; the library judges all else."""
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value
