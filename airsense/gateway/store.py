"""Answers by key within a budget of bytes; the least recently used goes first."""

import threading
from collections import OrderedDict

from .cache_key import Question
from .entry import Answer


class Store:
    def __init__(self, limit: int) -> None:
        self.limit, self.size = limit, 0
        self._answers: OrderedDict[Question, Answer] = OrderedDict()
        self._changing = threading.Lock()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: Question) -> Answer | None:
        try:
            self._answers.move_to_end(key)  # without the lock: each of the two steps is atomic
            return self._answers[key]
        except KeyError:
            return None

    def put(self, key: Question, answer: Answer) -> None:
        with self._changing:
            self._forget(self._answers.pop(key, None))
            self._answers[key] = answer
            self.size += answer.size
            while self.size > self.limit:
                self._forget(self._answers.popitem(last=False)[1])

    def _forget(self, answer: Answer | None) -> None:
        self.size -= answer.size if answer else 0
