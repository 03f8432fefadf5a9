"""Faults on demand: what goes wrong, at which call, how often."""

import threading
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Fault:
    """`at`: a call of the protocol, or "file", "upload", "token".

    `do`: "reset" (the connection, nothing was done), "lost" (the same, but it was done), "cut" (in
    the middle of the answer), an HTTP status, "session-lost", "not-initialized", "expired-link",
    "short-read", "repeated-read" or "slow".
    """

    at: str
    do: str
    times: int = 1
    skip: int = 0  # so many calls before it
    sql: str = ""  # only for statements that contain this; other calls name none
    seconds: float = 0.0
    headers: dict[str, str] | None = None

    def __post_init__(self) -> None:
        assert not self.sql or self.at in ("ExecuteStatement", "results"), self


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: dict[str, Any]) -> None:
        with self._lock:
            self._faults.append(Fault(**fault))

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def pending(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._faults]

    def due(self, at: str, sql: str = "") -> Fault | None:
        """The fault of a call, which is used up."""
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
