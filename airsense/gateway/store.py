"""Cache entries by key, within a memory limit; the least recently used entry is evicted first."""

import threading
from collections import OrderedDict

from .cache_key import CacheKey
from .entry import Entry


class Store:
    """A thread-safe map of cache entries; `limit` and `size` are in bytes."""

    def __init__(self, limit: int) -> None:
        self.limit, self.size = limit, 0
        self._entries: OrderedDict[CacheKey, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: CacheKey) -> Entry | None:
        try:
            self._entries.move_to_end(key)  # no lock: each of the two steps is atomic
            return self._entries[key]
        except KeyError:
            return None

    def put(self, key: CacheKey, entry: Entry) -> None:
        with self._lock:
            if old := self._entries.pop(key, None):
                self.size -= _size(key, old)
            self._entries[key] = entry
            self.size += _size(key, entry)
            while self.size > self.limit:
                self.size -= _size(*self._entries.popitem(last=False))


def _size(key: CacheKey, entry: Entry) -> int:
    return len(key.path) + len(key.query) + entry.size
