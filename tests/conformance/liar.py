"""A program that answers as the Python one does, but for one lie: `python3 liar.py WHICH`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent_venv import conformance

Answer = dict[str, Any]


def forget_an_event(answer: Answer) -> None:
    answer["events"] = answer["events"][:-1]


def swap_events(answer: Answer) -> None:
    answer["events"].reverse()


def change_an_event(answer: Answer) -> None:
    for event in answer["events"]:
        event["path"] = "elsewhere"


def forget_a_payload(answer: Answer) -> None:
    answer.get("error", {}).pop("payload", None)


def thin_a_payload(answer: Answer) -> None:
    for field in list(answer.get("error", {}).get("payload", {}))[:1]:
        del answer["error"]["payload"][field]


def forget_an_errors_log(answer: Answer) -> None:
    answer.get("error", {}).pop("events", None)


def rename_a_kind(answer: Answer) -> None:
    if "error" in answer:
        answer["error"]["kind"] = "ProfileSetupFailed"


def hide_an_error(answer: Answer) -> None:
    answer.pop("error", None)


def invent_an_error(answer: Answer) -> None:
    answer.setdefault("error", {"kind": "CleanupFailed", "message": "m", "payload": {}})


def refuse(answer: Answer) -> None:
    answer["ok"] = False


def agree(answer: Answer) -> None:
    answer["ok"] = True


def widen_modes(answer: Answer) -> None:
    modes = answer.get("inspection", {}).get("file_modes", {})
    answer.get("inspection", {})["file_modes"] = dict.fromkeys(modes, 0o644)


def unsort_files(answer: Answer) -> None:
    answer.get("inspection", {}).get("files_present", []).reverse()


def move_the_profile(answer: Answer) -> None:
    if "inspection" in answer:
        answer["inspection"]["path"] = "/tmp/elsewhere"


def leave_the_profile(answer: Answer) -> None:
    if "inspection" in answer:
        Path(answer["inspection"]["path"]).mkdir(parents=True)


def write_into_a_profile(answer: Answer) -> None:
    for path in answer.get("paths", [])[:1]:
        (Path(path) / "more").touch()


def forget_a_name(answer: Answer) -> None:
    answer.get("names_listed", []).clear()


def keep_a_name(answer: Answer) -> None:
    if "name_in_index_after" in answer:
        answer["name_in_index_after"] = True


def answer_another_case(answer: Answer) -> None:
    answer["case_id"] += "'"


def answer_in_a_list(answer: Answer) -> None:
    print(json.dumps([answer]), flush=True)


def say_more(answer: Answer) -> None:
    print(json.dumps(answer), flush=True)


def end_at_an_error(answer: Answer) -> None:
    if "error" in answer:
        sys.exit(0)


def fail_at_the_end(answer: Answer) -> None:
    """Told by `main`, below."""


LIES: dict[str, Callable[[Answer], None]] = {
    name: lie
    for name, lie in list(globals().items())
    if getattr(lie, "__annotations__", None) == {"answer": "Answer", "return": "None"}
}


def main(lie: str) -> None:
    say = conformance.say

    def say_falsely(words: Answer) -> None:
        if "protocol" not in words:
            LIES[lie](words)
        say(words)

    conformance.say = say_falsely
    conformance.main()
    if lie == "fail_at_the_end":
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
