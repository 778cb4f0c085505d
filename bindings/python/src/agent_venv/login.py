"""How an environment's login stands to the host's."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class LoginFile:
    """One file that the agent keeps a login in. Never its content.

    path             below the profile
    status           as in `LoginStatus`
    in_profile       whether the profile has it; with login "token" or "share" it is one that the
                     agent made for itself
    on_host          whether the host has it
    expires_at       when the profile's ends (RFC 3339), where it tells
    host_expires_at  when the host's ends, where it tells
    """

    path: str
    status: str
    in_profile: bool
    on_host: bool
    expires_at: str | None
    host_expires_at: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class LoginStatus:
    """What is known of an environment's login. Never the login.

    status      `none` (the profile has no login, or the environment no adapter), `same`,
                `host_newer` (refreshing brings it), `profile_newer`, `diverged` (nobody can tell),
                `shared`, `token`
    expires_at  when the login that the agent uses ends (RFC 3339), where its file tells
    files       each file that the agent keeps a login in
    """

    status: str
    expires_at: str | None
    files: tuple[LoginFile, ...]

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> LoginStatus:
        files = tuple(_known(LoginFile, file) for file in data["files"])
        return _known(cls, {**data, "files": files})


def _known(kind: type[T], data: dict[str, Any]) -> T:
    """A newer library may tell more than this package knows of."""
    names = [each.name for each in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: data[name] for name in names})
