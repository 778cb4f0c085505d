"""What an environment's calls did, as the library logs it."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from typing import Any, Protocol


@dataclasses.dataclass(slots=True)
class Event:
    """One entry of a log; `ts_ms` counts from the log's beginning."""

    ts_ms: int
    kind: str
    data: dict[str, Any] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"ts_ms": self.ts_ms, "kind": self.kind, **self.data}


class EventSink(Protocol):
    """Called with each event, in order. What it raises is dropped."""

    def __call__(self, event: Event, /) -> object: ...


def to_events(log: list[dict[str, Any]]) -> list[Event]:
    """A log as the library writes it: flat entries."""
    return [Event(entry.pop("ts_ms"), entry.pop("kind"), entry) for entry in log]


class Delivery:
    """Hands a log's events to the caller's sink: each once, in the log's order."""

    def __init__(self, sink: EventSink | None) -> None:
        self.sink = sink
        self._claimed = 0
        self._claiming = threading.Lock()

    def hand_over(self, log: list[Event]) -> None:
        """Call the sink for what is new in `log`.

        Events are claimed one by one, so a sink that itself uses the environment, or a second
        thread, neither repeats an event nor overtakes one that nobody has claimed.
        """
        while self.sink is not None:
            with self._claiming:
                if self._claimed >= len(log):
                    return
                event = log[self._claimed]
                self._claimed += 1
            with contextlib.suppress(Exception):
                self.sink(event)
