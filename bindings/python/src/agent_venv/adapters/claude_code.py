"""Claude Code."""

from .base import BuiltInAdapter


class ClaudeCode(BuiltInAdapter, built_in="claude-code"):
    """Claude Code: its directory is moved by CLAUDE_CONFIG_DIR."""
