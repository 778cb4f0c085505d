"""One exception per kind of failure. The kind decides, never the message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .events import Event


class AgentVenvError(Exception):
    """The base of all; raised itself for a kind that this package does not know."""

    kind: str = "InternalInvariantViolation"
    message: str
    payload: dict[str, Any]
    events: list[Event]
    """The log of the call that failed."""

    def __init__(self, message: str = "", /, **payload: Any) -> None:
        self.message = message or str(payload.get("message") or self.kind)
        self.payload = payload
        self.events = []
        super().__init__(self.message)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "message": self.message, **self.payload}


class EnvironmentNotFoundError(AgentVenvError):
    """The name is not registered."""

    kind = "EnvironmentNotFound"


class EnvironmentAlreadyExistsError(AgentVenvError):
    """Reserved."""

    kind = "EnvironmentAlreadyExists"


class AdapterMismatchError(AgentVenvError):
    """The recorded adapter is not the one asked for."""

    kind = "AdapterMismatch"


class ProfileSetupFailedError(AgentVenvError):
    """The profile could not be written."""

    kind = "ProfileSetupFailed"


class RegistryUnavailableError(AgentVenvError):
    """The registry is unreadable, unwritable, corrupt, or was locked for too long."""

    kind = "RegistryUnavailable"


class CredentialsMissingError(AgentVenvError):
    """The adapter wants the host's login, and there is none."""

    kind = "CredentialsMissing"


class AdapterUnavailableError(AgentVenvError):
    """The agent's program is not on PATH."""

    kind = "AdapterUnavailable"


class CleanupFailedError(AgentVenvError):
    """Something could not be removed."""

    kind = "CleanupFailed"


class InvalidEnvironmentSpecError(AgentVenvError, ValueError):
    """The input is malformed; `payload` names the field and the reason."""

    kind = "InvalidEnvironmentSpec"


class InternalInvariantViolationError(AgentVenvError):
    """A handle was misused, or there is a bug."""

    kind = "InternalInvariantViolation"


class EnvironmentInUseError(AgentVenvError):
    """A caller holds the environment."""

    kind = "EnvironmentInUse"


class CredentialsConflictError(AgentVenvError):
    """The profile's login is newer than the host's, or may be, and was kept."""

    kind = "CredentialsConflict"


_BY_KIND: dict[str, type[AgentVenvError]] = {
    each.kind: each
    for each in (
        EnvironmentNotFoundError,
        EnvironmentAlreadyExistsError,
        AdapterMismatchError,
        ProfileSetupFailedError,
        RegistryUnavailableError,
        CredentialsMissingError,
        AdapterUnavailableError,
        CleanupFailedError,
        InvalidEnvironmentSpecError,
        InternalInvariantViolationError,
        EnvironmentInUseError,
        CredentialsConflictError,
    )
}


def for_kind(kind: str) -> type[AgentVenvError]:
    """The exception of a kind; the base for one that is not known here."""
    return _BY_KIND.get(kind, AgentVenvError)


__all__ = ["AgentVenvError", "for_kind", *(each.__name__ for each in _BY_KIND.values())]
