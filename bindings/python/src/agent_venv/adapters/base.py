"""What an adapter is, and the ones that the library knows."""

from __future__ import annotations

import abc
import os
from typing import Any, ClassVar

from .._calls import call, call_for_json, encode_json, read_json
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


class BuiltInAdapter(AgentAdapter):
    """An adapter that the library has: all of it is data there."""

    _built_in: ClassVar[str]

    def __init_subclass__(cls, *, built_in: str | None = None, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if built_in is not None:
            definition = _DEFINITIONS[built_in]
            cls.id = cls._built_in = built_in
            cls.cli_bin = definition["program"]
            cls.config_env_var = next(iter(definition["env"]))

    def __init__(
        self,
        *,
        model: str | None = None,
        reasoning_effort: str | None = None,
        load_credentials: bool = True,
        extra_argv: list[str] | None = None,
    ) -> None:
        self.model = model
        self.reasoning_effort = reasoning_effort
        self.load_credentials = load_credentials
        self.extra_argv = list(extra_argv or [])

    def build_spec(self, *, load_credentials: bool | None = None) -> EnvironmentSpec:
        """A spec that names this adapter.

        It holds no secret: the library reads the login when the environment is made. What is
        set in it is laid over the adapter's own.
        """
        options = self._options()
        if load_credentials is not None:
            options["load_credentials"] = load_credentials
        return EnvironmentSpec(self.id, adapter=self._built_in, options=options)

    def build_argv(
        self, prompt: str, *, workspace: str | os.PathLike[str] | None = None
    ) -> list[str]:
        """The command line for an unattended run, which needs a model.

        The prompt is not in it: give it to the agent's standard input.
        """
        options = self._options()
        if workspace is not None:
            options["workspace"] = os.fspath(workspace)
        argv: list[str] = call_for_json(
            "avenv_adapter_argv_json", self._built_in.encode(), encode_json(options, "options")
        )
        return argv

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"load_credentials": self.load_credentials}
        for name in ("model", "reasoning_effort"):
            if (value := getattr(self, name)) is not None:
                options[name] = value
        if self.extra_argv:
            options["extra_argv"] = list(self.extra_argv)
        return options


_DEFINITIONS: dict[str, dict[str, Any]] = {
    each["id"]: each for each in read_json("avenv_adapters_json")
}
