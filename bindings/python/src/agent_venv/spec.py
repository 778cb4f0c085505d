"""What an environment shall hold."""

from __future__ import annotations

import dataclasses
from typing import Any

from ._calls import NOTHING, Lent, call, call_for_handle, encode_json, invalid
from ._library import library

PLAIN_DEFAULTS = {"adapter_id": "generic", "prefix": "agent-venv-"}


@dataclasses.dataclass(slots=True, repr=False)
class EnvironmentSpec:
    """What an environment shall hold.

    adapter_id     which adapter this is for; recorded, and checked on attach
    env_overrides  variables to hand back; `$EPHEMERAL_HOME` in a value becomes the profile's path
    seed_files     relative path -> content, written when the profile is made
    file_modes     relative path -> POSIX mode bits; files are 0600 without it
    credentials    like seed_files; `refresh_credentials` rewrites these and nothing else
    prefix         start of an ephemeral directory's name
    adapter        an adapter's id, or a definition: the library builds its spec and reads
                   the host's login when the environment is made; the other fields are laid over it
    options        the adapter's options

    Contents are text or bytes.
    """

    adapter_id: str = PLAIN_DEFAULTS["adapter_id"]
    env_overrides: dict[str, str] = dataclasses.field(default_factory=dict)
    seed_files: dict[str, str | bytes] = dataclasses.field(default_factory=dict)
    file_modes: dict[str, int] = dataclasses.field(default_factory=dict)
    credentials: dict[str, str | bytes] = dataclasses.field(default_factory=dict)
    prefix: str = PLAIN_DEFAULTS["prefix"]
    adapter: str | dict[str, Any] | None = None
    options: dict[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> EnvironmentSpec:
        """The spec that `data` says; unknown fields and wrong types are refused."""
        with _parsed(data):
            return cls(**{field: _copied(value) for field, value in data.items()})

    def to_dict(self) -> dict[str, Any]:
        """The spec as `from_dict` takes it.

        Where an adapter is named, what still has its plain default is left to the adapter.
        """
        data = {field: _copied(getattr(self, field)) for field in _FIELDS}
        if self.adapter is None:
            del data["adapter"]
        else:
            for field, default in PLAIN_DEFAULTS.items():
                if data[field] == default:
                    del data[field]
        if not self.options:
            del data["options"]
        return data

    def __repr__(self) -> str:
        """Names only: values and contents may be secrets."""
        shown = [f"adapter_id={self.adapter_id!r}"]
        if isinstance(self.adapter, str):
            shown.append(f"adapter={self.adapter!r}")
        for field in ("env_overrides", "seed_files", "credentials", "options"):
            value = getattr(self, field)
            if isinstance(value, dict) and value:
                shown.append(f"{field}={list(value)}")
        return f"EnvironmentSpec({', '.join(shown)})"


_FIELDS = [field.name for field in dataclasses.fields(EnvironmentSpec)]


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, dict) else value


_DEFAULTS = [(field, getattr(EnvironmentSpec(), field)) for field in _FIELDS]


def handed_over(spec: EnvironmentSpec | None) -> Lent:
    """The library's own copy of a spec, for the length of one call."""
    if spec is None:
        return NOTHING
    if not isinstance(spec, EnvironmentSpec):
        raise invalid("spec", f"must be an EnvironmentSpec, not {type(spec).__name__}")
    # What has its default is the library's to say.
    said = {}
    for field, default in _DEFAULTS:
        value = getattr(spec, field)
        if value != default:
            said[field] = value
    return _parsed(said)


def _parsed(data: dict[str, Any]) -> Lent:
    if not isinstance(data, dict):
        raise invalid("spec", f"must be a dict, not {type(data).__name__}")
    text, seed_files = _with_bytes_emptied(data, "seed_files")
    text, credentials = _with_bytes_emptied(text, "credentials")
    handle = call_for_handle("avenv_spec_parse", encode_json(text))
    lent = Lent(handle, library.avenv_spec_free)
    try:
        for path, content in seed_files.items():
            call("avenv_spec_add_seed_file", handle, path.encode(), content, len(content), 0)
        for path, content in credentials.items():
            call("avenv_spec_add_credential", handle, path.encode(), content, len(content))
    except BaseException:
        lent.free()
        raise
    return lent


def _with_bytes_emptied(
    data: dict[str, Any], field: str
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """`data` with an empty file for each one given in bytes, which JSON cannot say; and those."""
    files = data.get(field)
    if not isinstance(files, dict):
        return data, {}
    raw = {path: content for path, content in files.items() if isinstance(content, bytes)}
    if not raw:
        return data, raw
    return {**data, field: {**files, **dict.fromkeys(raw, "")}}, raw
