"""Processes by their ids, from /proc."""

import time
from pathlib import Path


def children_of(pid: int) -> list[int]:
    """Return the children of a process that are alive."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        state, parent = _state_of(int(folder.name))
        if parent == pid and state not in ("Z", "X"):
            found.append(int(folder.name))
    return found


def descendants_of(pid: int) -> list[int]:
    """Return children, their children, and so on."""
    children = children_of(pid)
    return children + [one for child in children for one in descendants_of(child)]


def wait_for_end(pids: list[int], deadline_s: float = 60.0) -> None:
    """Wait until none of the processes is alive."""
    end = time.monotonic() + deadline_s
    while alive := [pid for pid in pids if _state_of(pid)[0] not in ("Z", "X")]:
        assert time.monotonic() < end, alive
        time.sleep(0.02)


def _state_of(pid: int) -> tuple[str, int]:
    """Return state letter and parent; ``X`` if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return "X", 0
    state, parent = text.rsplit(")", 1)[1].split()[:2]
    return state, int(parent)
