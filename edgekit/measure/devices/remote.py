"""A board as a device: the same worker as on this machine, at the other end of a connection."""

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from edgekit.errors import EdgekitError
from edgekit.measure.devices.arm import featureless
from edgekit.measure.devices.board import Board
from edgekit.measure.devices.link import Link
from edgekit.measure.devices.measurement import Measurement
from edgekit.measure.devices.session import Session
from edgekit.measure.devices.transport import LinkLostError, Transport
from edgekit.measure.environment import Environment
from edgekit.measure.latency import Measured, Rounds, Sampling, checked_sides, start_rounds
from edgekit.measure.recording import CANDIDATE, Recording, side_figures
from edgekit.measure.samples import Samples
from edgekit.selftest import cache_folder

ONE_PROCESS = Sampling(processes=1)


class BoardDevice:
    """A board over ssh or adb; see `edgekit.measure.devices.Device`.

    Args:
        url: its address.
        transport: how commands get there.
        cache: the folder for what is made for it here; edgekit's cache folder by default.
    """

    def __init__(self, url: str, transport: Transport, cache: Path | None = None) -> None:
        self.url = url
        self._transport = transport
        self._cache = cache or cache_folder()

    @cached_property
    def board(self) -> Board:
        """The board, with edgekit installed in its cache.

        Raises:
            DeviceError: it cannot be reached, or lacks what edgekit needs.
        """
        board = Board(Link(self._transport), self._cache)
        assert board.description
        return board

    def describe(self) -> dict[str, Any]:
        """The board, its kernels' instruction sets, and its versions.

        Raises:
            DeviceError: it cannot be reached or set up.
        """
        described: dict[str, Any] = msgspec.to_builtins(self.environment())
        return described | {"isas": list(self.board.description.isas), "notes": self._notes()}

    def environment(self) -> Environment:
        """The record of the board, from when it was first asked."""
        environment = self.board.description.environment
        return msgspec.structs.replace(environment, device=self.url)

    def measure(
        self, path: Path, samples: Samples, sampling: Sampling = ONE_PROCESS
    ) -> Measurement:
        """Latency, load time and memory of one model.

        Args:
            path: a .onnx, .tflite or .edgekit file on this machine.
            samples: what it is fed.
            sampling: how much to measure.

        Raises:
            CrashError: the model ended or hung its process on the board.
            DeviceError: the board cannot be reached, or disappeared for too long.
            EdgekitError: the model cannot be run there.
        """
        measured = self.compare({CANDIDATE: path}, samples, sampling)
        return Measurement(
            device=self.url,
            size_bytes=path.stat().st_size,
            environment=measured.environment,
            inputs=measured.inputs,
            timed=side_figures(measured.recording, CANDIDATE),
            notes=self._notes(),
        )

    def compare(self, sides: Mapping[str, Path], samples: Samples, sampling: Sampling) -> Measured:
        """Time sides in turns in fresh processes on the board, as `latency.measure` does here.

        When the connection drops, blocks that were recorded stay, and new processes on the board
        record the rest.

        Raises:
            UsageError: a number of the sampling is below 1.
            EdgekitError: as `measure`.
        """
        sides = checked_sides(sides, sampling)
        if samples.raw and not self.board.description.isas:
            samples = featureless(next(iter(sides.values())), samples)
        there = {role: self.board.put(path) for role, path in sides.items()}
        try:
            recording, stopped = _Visits(self.board, there, samples, sampling).run()
        except EdgekitError as error:
            raise _named_here(error, sides, there) from error
        environment = self.environment()
        return Measured(recording, samples.source, environment, stopped, sampling.threads)

    def close(self) -> None:
        """Nothing is left open: each measurement is a session of its own."""

    def _notes(self) -> tuple[str, ...]:
        return self.board.runner.notes


class _Visits:
    """Sessions on a board, one after the other where the connection drops, to one recording."""

    def __init__(
        self, board: Board, sides: Mapping[str, Path], samples: Samples, sampling: Sampling
    ) -> None:
        self._board = board
        self._sides = sides
        self._samples = samples
        self._sampling = sampling
        self._deadline = time.monotonic() + sampling.max_s
        self._recorded = Recording((), ())
        self._rounds: Rounds | None = None

    def run(self) -> tuple[Recording, str]:
        """Visit until enough is recorded; returns it, and why it ended."""
        failures = 0
        while True:
            try:
                stopped = self._visit()
            except LinkLostError as error:
                failures = 1 if self._keep() else failures + 1
                if failures >= self._board.link.attempts:
                    raise self._board.link.given_up(error) from error
                if self._enough():
                    return self._recorded, "the connection dropped; enough was recorded before"
                self._board.link.wait(failures)
            else:
                self._keep()
                return self._recorded, stopped

    def _visit(self) -> str:
        with Session(self._board) as session:
            files = session.send(self._samples)
            sampling = self._rest()
            workers = [session.worker(sampling.timeout_s) for _ in range(sampling.processes)]
            self._rounds = start_rounds(workers, self._sides, files, self._samples, sampling)
            return self._rounds.run()

    def _keep(self) -> bool:
        """Add what the last visit recorded; whether that was anything."""
        if self._rounds is None:
            return False
        found, self._rounds = self._rounds.recording, None
        first = 1 + max((start.process for start in self._recorded.starts), default=-1)
        starts = tuple(replace(s, process=s.process + first) for s in found.starts)
        blocks = tuple((process + first, times) for process, times in found.blocks)
        if blocks:
            self._recorded = Recording(
                self._recorded.starts + starts, self._recorded.blocks + blocks
            )
        return bool(blocks)

    def _rest(self) -> Sampling:
        done = self._calls()
        return replace(
            self._sampling,
            min_calls=max(self._sampling.min_calls - done, 0),
            max_calls=max(self._sampling.max_calls - done, 1),
            max_s=max(self._deadline - time.monotonic(), 1.0),
        )

    def _enough(self) -> bool:
        return self._calls() >= max(self._sampling.max_calls, self._sampling.min_calls)

    def _calls(self) -> int:
        role = next(iter(self._sides))
        return sum(len(times.total_ns[role]) for _, times in self._recorded.blocks)


def _named_here(
    error: EdgekitError, sides: Mapping[str, Path], there: Mapping[str, Path]
) -> EdgekitError:
    """The error with the files' names on this machine."""
    parts = [error.thing, error.problem, error.way_out]
    for role, path in there.items():
        parts = [part.replace(str(path), str(sides[role])) for part in parts]
    return type(error)(*parts)
