"""Channels that must go together: a union-find over units, with the reasons that keep some."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ids: TypeAlias = NDArray[np.int64]
"""One unit for each position of an axis; a unit may stand at several positions."""


@dataclass(frozen=True)
class Block:
    """The positions that one operator computes: the channels of a convolution, for instance."""

    name: str
    ids: Ids


@dataclass(frozen=True)
class Group:
    """Units of layers that are coupled: they share a width.

    Attributes:
        name: the tensor that has these channels first.
        units: representatives, in the order of the channels.
        width: positions of the widest axis.
        share: positions of that axis that go with each unit: 1, or the width of an attention head.
        kept_because: why it has to stay as it is, None where units may go.
    """

    name: str
    units: tuple[int, ...]
    width: int
    share: int
    kept_because: str | None


@dataclass
class Units:
    """Every unit of a model."""

    blocks: list[Block] = field(default_factory=list)
    _parent: list[int] = field(default_factory=list)
    _frozen: dict[int, str] = field(default_factory=dict)

    def fresh(self, count: int, name: str) -> Ids:
        """New units for the channels that a tensor has first."""
        start = len(self._parent)
        ids = np.arange(start, start + count, dtype=np.int64)
        self._parent.extend(range(start, start + count))
        self.blocks.append(Block(name, ids))
        return ids

    def find(self, unit: int) -> int:
        """The representative of a unit."""
        while self._parent[unit] != unit:
            self._parent[unit] = self._parent[self._parent[unit]]
            unit = self._parent[unit]
        return unit

    def roots(self, ids: Ids) -> Ids:
        """The representative at each position."""
        return np.fromiter((self.find(int(unit)) for unit in ids), np.int64, len(ids))

    def tie(self, first: Ids, second: Ids) -> None:
        """Positions of two axes of the same size go together from now on."""
        for one, other in {(int(a), int(b)) for a, b in zip(first, second, strict=True)}:
            low, high = sorted((self.find(one), self.find(other)))
            self._parent[high] = low
            if high in self._frozen:
                self._frozen.setdefault(low, self._frozen[high])

    def freeze(self, ids: Ids, reason: str) -> None:
        """These stay; the first reason counts."""
        for unit in np.unique(ids):
            self._frozen.setdefault(self.find(int(unit)), reason)

    def groups(self) -> tuple[Group, ...]:
        """Blocks that share a unit are one group."""
        roots = [self.roots(block.ids) for block in self.blocks]
        owner: dict[int, int] = {}
        merged = Units()
        merged.fresh(len(roots), "")
        for number, found in enumerate(roots):
            for unit in np.unique(found):
                first = owner.setdefault(int(unit), number)
                merged.tie(np.array([first]), np.array([number]))
        members: dict[int, list[int]] = {}
        for number in range(len(roots)):
            members.setdefault(merged.find(number), []).append(number)
        return tuple(self._group([roots[n] for n in each], each[0]) for each in members.values())

    def _group(self, axes: Sequence[Ids], first: int) -> Group:
        widest = max(axes, key=len)
        units, places = np.unique(np.concatenate(axes), return_index=True)
        units = units[np.argsort(places)]
        counts = np.array([np.count_nonzero(widest == unit) for unit in units])
        reasons = (self._frozen.get(int(unit)) for unit in units)
        reason = next(filter(None, reasons), None)
        if reason is None and len(set(counts.tolist())) != 1:
            reason = "its channels are tied to others unevenly"
        name = self.blocks[first].name
        return Group(name, tuple(units.tolist()), len(widest), int(counts[0]), reason)
