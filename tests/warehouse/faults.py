"""Faults that a test injects: at which call, of which kind and how often."""

import threading
from dataclasses import dataclass
from typing import Any


@dataclass
class Fault:
    """A fault of some calls.

    `at` is a Thrift call such as "ExecuteStatement", or "file", "upload", "token" or "results".

    `do` is one of these:
    - "reset": reset the connection before running the call;
    - "lost": run the call, then reset the connection instead of sending the response;
    - "cut": reset the connection in the middle of the response;
    - "half": respond with the first half, as if it were the whole; "page": with a web page;
    - an HTTP status such as "503": respond with it before running the call;
    - "slow": wait `seconds` first;
    - "session-lost": close all sessions; "not-initialized": the warehouse is still starting;
    - "timed-out", "vacuumed": the statement fails with this error;
    - at "results" only, "expired-link", "short-read" (without the first row of the last batch) and
      "repeated-read" (the first batch twice).
    """

    at: str
    do: str
    times: int = 1
    skip: int = 0  # matching calls that still succeed before the fault
    sql: str = ""  # only for statements that contain this text; other calls have no SQL
    seconds: float = 0.0
    headers: dict[str, str] | None = None  # of a response with an HTTP status
    body: str = ""

    def __post_init__(self) -> None:
        assert not self.sql or self.at in ("ExecuteStatement", "results"), self


class Faults:
    """The faults that are still to happen; threads can share the object."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: dict[str, Any]) -> None:
        with self._lock:
            self._faults.append(Fault(**fault))

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, at: str, sql: str = "") -> Fault | None:
        """Return the fault of a call, if any, and count it as used."""
        with self._lock:
            for fault in self._faults:
                if fault.at == at and fault.sql in sql:
                    if fault.skip:
                        fault.skip -= 1
                        return None
                    fault.times -= 1
                    if not fault.times:
                        self._faults.remove(fault)
                    return fault
        return None
