"""Results that need not be computed again, as many as fit a number of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """Values by key; the least recently used make room for new ones.

    >>> lengths = Remembered(max_bytes=5, size_of=len)
    >>> [lengths.get(word, word.upper) for word in ("to", "be", "to")]
    ['TO', 'BE', 'TO']
    >>> lengths.get("or", "or".upper), "be" in lengths, "to" in lengths
    ('OR', False, True)
    """

    def __init__(self, max_bytes: int, size_of: Callable[[Value], int]):
        self._max_bytes, self._size_of = max_bytes, size_of
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._bytes = 0

    def __contains__(self, key: Hashable) -> bool:
        return key in self._values

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of `key`, computed if it is not known; one that is larger than all room stays alone."""
        if key not in self._values:
            self._values[key] = compute()
            self._bytes += self._size_of(self._values[key])
            while self._bytes > self._max_bytes and len(self._values) > 1:
                self._bytes -= self._size_of(self._values.popitem(last=False)[1])
        self._values.move_to_end(key)
        return self._values[key]
