"""A compact table from keys to small numbers: 12 bytes a slot, whatever the length of the keys."""

from __future__ import annotations

from array import array

_MASK_64 = (1 << 64) - 1
_MAX_LOAD = 0.6


class Tally:
    """Remembers one number for each key; an unknown key has 0.

    A file of one gigabyte may name millions of conversations: as a dict they would take
    half a gigabyte. Keys are kept as 64-bit hashes, so two of five million keys are taken
    for one another with a chance below one in a million.
    """

    def __init__(self) -> None:
        self._allocate(1 << 10)

    def __len__(self) -> int:
        return self._used

    def __getitem__(self, key: str) -> int:
        return self._numbers[self._find(_hash(key))]

    def __setitem__(self, key: str, number: int) -> None:
        hashed = _hash(key)
        slot = self._find(hashed)
        if not self._hashes[slot]:
            if self._used >= self._limit:
                self._grow()
                slot = self._find(hashed)
            self._used += 1
            self._hashes[slot] = hashed
        self._numbers[slot] = number

    def _find(self, hashed: int) -> int:
        hashes, mask = self._hashes, self._mask
        slot = hashed & mask
        while hashes[slot] and hashes[slot] != hashed:
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        hashes, numbers = self._hashes, self._numbers
        self._allocate(2 * len(hashes))
        for hashed, number in zip(hashes, numbers, strict=True):
            if hashed:
                slot = self._find(hashed)
                self._hashes[slot] = hashed
                self._numbers[slot] = number
                self._used += 1

    def _allocate(self, size: int) -> None:
        self._hashes = array("Q", bytes(8 * size))
        self._numbers = array("I", bytes(4 * size))
        self._mask = size - 1
        self._limit = int(size * _MAX_LOAD)
        self._used = 0


def _hash(key: str) -> int:
    # 0 marks a free slot.
    return (hash(key) & _MASK_64) or 1
