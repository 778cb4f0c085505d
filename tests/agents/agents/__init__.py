"""The agents: their logins, and how each says what it sees.

A new agent is one class here and one entry in programs.json.
"""

from .base import Agent, Leak, Result, Run
from .claude_code import ClaudeCode
from .codex import Codex
from .copilot_cli import CopilotCli
from .gemini_cli import GeminiCli
from .opencode import OpenCode
from .pi import Pi
from .qwen_code import QwenCode

AGENTS: tuple[Agent, ...] = (
    ClaudeCode(),
    Codex(),
    GeminiCli(),
    OpenCode(),
    CopilotCli(),
    QwenCode(),
    Pi(),
)

__all__ = ["AGENTS", "Agent", "Leak", "Result", "Run"]
