"""What an answer must hold, and when two answers are the same."""

from __future__ import annotations

from typing import Any

Answer = dict[str, Any]

PEER = "pypi"


def complaint(language: str, expected: Answer, answer: Answer) -> str | None:
    """What is wrong with an answer; the names of places stand in both."""
    expected = {"ok": True, **expected}
    if "error" in expected:
        expected.setdefault("events", [])
    elif "error" in answer:
        return f"an error: {answer['error']}"
    if language == PEER:
        return _mismatch(reduced(expected), reduced(answer))
    return malformed(answer) or _mismatch(expected, _in_terms_of(expected, answer))


def _mismatch(expected: Answer, answer: Answer) -> str | None:
    for field, wanted in expected.items():
        if field not in answer:
            return f"{field} is missing in {answer}"
        if answer[field] != wanted:
            return f"{field} is {answer[field]}, not {wanted}"
    return None


def _in_terms_of(expected: Answer, answer: Answer) -> Answer:
    """An answer told as a case tells it: of events the kinds where it names only these."""
    told = {**answer, "events": [without_time(event) for event in answer["events"]]}
    if all(isinstance(event, str) for event in expected.get("events", [])):
        told["events"] = [event["kind"] for event in told["events"]]
    if "error" in expected and "error" in answer:
        told["error"] = {part: answer["error"].get(part) for part in expected["error"]}
    return told


def malformed(answer: Answer) -> str | None:
    """What every answer of ours owes, whatever the case."""
    if not _is_log(answer.get("events")):
        return f"its events are no log: {answer}"
    if "error" not in answer:
        return None
    error = answer["error"]
    message = error.get("message")
    if not isinstance(message, str) or not message or "\n" in message:
        return f"its message is no line: {error}"
    if not answer.get("ok"):
        return None
    if not isinstance(error.get("payload"), dict) or not _is_log(error.get("events")):
        return f"its error has no payload, or no log: {error}"
    told = {"kind": "error", "error_kind": error["kind"], "message": message}
    last = [without_time(event) for event in error["events"][-1:]]
    return None if last == [told] else f"its error's log ends in {last}, not {told}"


def _is_log(events: object) -> bool:
    return isinstance(events, list) and all(
        isinstance(event, dict)
        and isinstance(event.get("kind"), str)
        and isinstance(event.get("ts_ms"), int)
        for event in events
    )


def comparable(answer: Answer) -> Answer:
    """An answer without what may differ: times, and messages."""
    same = {**answer, "events": [without_time(event) for event in answer["events"]]}
    if "error" in answer:
        error = {key: value for key, value in answer["error"].items() if key != "message"}
        if "events" in error:
            error["events"] = [without_message(event) for event in error["events"]]
        same["error"] = error
    return same


def without_time(event: Answer) -> Answer:
    return {key: value for key, value in event.items() if key != "ts_ms"}


def without_message(event: Answer) -> Answer:
    return {key: value for key, value in without_time(event).items() if key != "message"}


def reduced(answer: Answer) -> Answer:
    """What the peer is compared by: of errors and events the kinds, in any order."""
    less = {field: value for field, value in answer.items() if answer["ok"] or field != "events"}
    if "error" in less:
        less["error"] = {"kind": less["error"]["kind"]}
    if "events" in less:
        kinds = [each if isinstance(each, str) else each["kind"] for each in less["events"]]
        less["events"] = sorted(kinds)
    return less
