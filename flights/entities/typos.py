"""Recognise names with typing errors."""

from collections.abc import Iterator

from rapidfuzz import process
from rapidfuzz.distance import OSA

from .aliases import NOT_TYPOS
from .directory import SHORTEST_TYPO, Directory, Named
from .names import Word

LONG = 8  # letters of a key that may have two errors; shorter keys may have one
MOST_WORDS = 3  # of a misspelt name
MOST_SIMILAR = 20  # names that are compared with a key

type Match = tuple[int, int, tuple[Named, ...]]  # start and end in the text, and the meanings


def find(groups: list[list[Word]], known: Directory) -> Iterator[Match]:
    """Find words that together resemble a name."""
    for group in groups:
        place = 0
        while place < len(group):
            for end in range(min(place + MOST_WORDS, len(group)), place, -1):
                keys = [word.key for word in group[place:end]]
                if entities := () if NOT_TYPOS & set(keys) else close("".join(keys), known):
                    yield group[place].start, group[end - 1].end, entities
                    place = end - 1
                    break
            place += 1


def close(key: str, known: Directory) -> tuple[Named, ...]:
    """The things whose names differ least from a misspelt key, the most frequent first."""
    if len(key) < SHORTEST_TYPO or key.isdigit() or key in NOT_TYPOS:
        return ()
    wrong = 2 if len(key) >= LONG else 1
    similar = [
        (distance, name)
        for name, distance, _ in process.extract(
            key, known.long_keys, scorer=OSA.distance, score_cutoff=wrong, limit=MOST_SIMILAR
        )
        if _begins_alike(key, name)
    ]
    if not similar:
        return ()
    best = min(similar)[0]
    things = (thing for d, name in similar if d == best for thing in known.names[name])
    return tuple(sorted(dict.fromkeys(things), key=lambda thing: -(thing.flights or 0)))


def beginning(key: str, known: Directory) -> list[str]:
    """The keys of names whose beginning differs least from a misspelt key."""
    if len(key) < SHORTEST_TYPO:
        return []
    wrong = 2 if len(key) >= LONG else 1
    similar: dict[int, float] = {}
    for length in (len(key), len(key) + 1):  # a letter may be missing
        begins = [name[:length] for name in known.long_keys]
        for _, distance, place in process.extract(
            key, begins, scorer=OSA.distance, score_cutoff=wrong, limit=MOST_SIMILAR
        ):
            similar[place] = min(distance, similar.get(place, distance))
    best = min(similar.values(), default=0)
    return [known.long_keys[place] for place, distance in similar.items() if distance == best]


def _begins_alike(key: str, name: str) -> bool:
    """Typing errors in the first letter are rare; swapped letters are not."""
    return key[0] == name[0] or key[:2] == name[1::-1]
