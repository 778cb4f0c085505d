"""Codex."""

from .base import BuiltInAdapter


class Codex(BuiltInAdapter, built_in="codex"):
    """Codex: its directory is moved by CODEX_HOME."""
