"""Which agent an environment is for."""

from .base import AgentAdapter, DataAdapter
from .claude_code import ClaudeCode
from .codex import Codex

__all__ = ["AgentAdapter", "ClaudeCode", "Codex", "DataAdapter"]
