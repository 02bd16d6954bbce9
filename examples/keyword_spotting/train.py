"""Trains `model.onnx` on the training voices: `python examples/keyword_spotting/train.py`.

It needs torch 2.13.0 (the CPU build will do) beside `edgekit[convert]`, and takes a few minutes on
one core. Seeds are fixed and one thread does the work: the same machine and versions give the same
file. The evaluation voices are looked at once, at the end, and choose nothing.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import words
from numpy.typing import NDArray
from torch import Tensor, nn
from words import KEYWORDS, LABELS, RATE_HZ, SILENCE, UNKNOWN, Spoken

from edgekit.features import LogMel

BINS, FRAMES, CHANNELS, BLOCKS = 40, 98, 64, 4
EPOCHS, BATCH, PEAK_RATE, SEED = 16, 64, 4e-3, 2026
NOISE_SECONDS = 600
"""Different seconds of noise; each is heard louder and softer."""
SILENCES, CUT_OFF, WITH_NEIGHBOUR = 0.05, 0.07, 0.4
"""Shares of the seconds: with no word, with a keyword broken off, with another word beside it."""
log_mel = LogMel.kaldi(num_mel_bins=BINS)


class Block(nn.Module):
    """A depthwise convolution over time, a pointwise one, and what came in."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(CHANNELS, CHANNELS, 9, padding=4, groups=CHANNELS, bias=False),
            nn.BatchNorm1d(CHANNELS),
            nn.ReLU(),
            nn.Conv1d(CHANNELS, CHANNELS, 1, bias=False),
            nn.BatchNorm1d(CHANNELS),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) to the same."""
        return torch.relu(x + self.layers(x))


class Network(nn.Module):
    """Log-mel frames (batch, 98, 40) to logits (batch, 10): bins are channels, as in TC-ResNet."""

    def __init__(self, mean: float, deviation: float) -> None:
        super().__init__()
        self.mean, self.deviation = mean, deviation
        self.layers = nn.Sequential(
            nn.Conv1d(BINS, CHANNELS, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm1d(CHANNELS),
            nn.ReLU(),
            *(Block() for _ in range(BLOCKS)),
        )
        self.classes = nn.Linear(CHANNELS, len(LABELS))

    def forward(self, frames: Tensor) -> Tensor:
        """Frames as LogMel gives them to logits."""
        x = (frames - self.mean) / self.deviation
        return self.classes(self.layers(x.transpose(1, 2)).mean(2))


class Seconds:
    """Training seconds: words placed, cut off, beside others, in noise; new ones every epoch."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(SEED)
        self.words = words.spoken("training")
        self.others = [word for word in self.words if LABELS[word.label] == UNKNOWN]
        silence = np.zeros(RATE_HZ, np.float32)
        noises = np.stack([words.in_noise(silence, self.rng) for _ in range(NOISE_SECONDS)])
        self.noises = noises / noises.std(axis=1, keepdims=True)

    def epoch(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of (features, labels)."""
        order = self.rng.permutation(len(self.words))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            made = [self.second(self.words[index]) for index in order[start : start + BATCH]]
            sound, label = zip(*made, strict=True)
            yield torch.from_numpy(log_mel(np.stack(sound))), torch.tensor(label)

    def second(self, word: Spoken) -> tuple[NDArray[np.int16], int]:
        """One second of int16 samples, and its label."""
        rng, label, samples = self.rng, word.label, word.samples
        if rng.random() < SILENCES:
            return self.noisy(np.zeros(RATE_HZ, np.float32)), LABELS.index(SILENCE)
        if label < len(KEYWORDS) and rng.random() < CUT_OFF:
            keep = int(len(samples) * rng.uniform(0.2, 0.45))
            samples = samples[:keep] if rng.random() < 0.5 else samples[-keep:]
            label = LABELS.index(UNKNOWN)
        second = words.placed(samples, rng)
        if rng.random() < WITH_NEIGHBOUR:
            self.add_neighbour(second)
        return self.noisy(second), label

    def add_neighbour(self, second: NDArray[np.float32]) -> None:
        """Another word before or after, as far as it reaches into the second."""
        loud = np.flatnonzero(second)
        if not loud.size:
            return
        other = self.others[int(self.rng.integers(len(self.others)))].samples
        other = other * self.rng.uniform(0.15, 1.0)
        gap = int(self.rng.uniform(0.03, 0.25) * RATE_HZ)
        if self.rng.random() < 0.5:
            room = max(int(loud[0]) - gap, 0)
            part = other[len(other) - min(room, len(other)) :]
            second[room - len(part) : room] += part
        else:
            begin = min(int(loud[-1]) + gap, RATE_HZ)
            part = other[: RATE_HZ - begin]
            second[begin : begin + len(part)] += part

    def noisy(self, second: NDArray[np.float32]) -> NDArray[np.int16]:
        """The second with noise, 3 to 30 dB below it, or alone."""
        noise = self.noises[int(self.rng.integers(NOISE_SECONDS))]
        power = float(np.square(second).mean())
        level = np.sqrt(power * 10 ** (-self.rng.uniform(3, 30) / 10))
        level = level if power > 0 else 10 ** self.rng.uniform(-4, -1.5)
        mixed = second + noise * level
        return np.round(mixed * 32767).clip(-32768, 32767).astype(np.int16)


def train() -> Network:
    """The network after the last epoch."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    seconds = Seconds()
    first = torch.cat([features for features, _ in list(seconds.epoch())[:20]])
    network = Network(float(first.mean()), float(first.std()))
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=0.02)
    steps = EPOCHS * (len(seconds.words) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(EPOCHS):
        started, right, count, total = time.monotonic(), 0, 0, 0.0
        for features, labels in seconds.epoch():
            logits = network(features)
            loss = loss_of(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            right += int((logits.argmax(1) == labels).sum())
            count += len(labels)
            total += float(loss.detach()) * len(labels)
        took = time.monotonic() - started
        print(f"epoch {epoch + 1}: loss {total / count:.3f}, {right / count:.3f}, {took:.0f} s")
    return network.eval()


def export(network: Network, path: Path) -> None:
    """Write it as ONNX, opset 17, one window at a time: what a stream sees."""
    torch.onnx.export(
        network, (torch.zeros(1, FRAMES, BINS),), str(path), dynamo=False, opset_version=17,
        input_names=["frames"], output_names=["logits"],
    )  # fmt: skip


def accuracy(network: Network, split: str) -> float:
    """Share of a split's seconds that get the right label."""
    sound, labels, _ = zip(*words.samples(split), strict=True)
    with torch.no_grad():
        logits = network(torch.from_numpy(log_mel(np.stack(sound))))
    return float((logits.argmax(1) == torch.tensor(labels)).float().mean())


def main() -> None:
    """Train, export, and say how good it is on voices it has not heard."""
    parser = argparse.ArgumentParser(description="Train the keyword spotter")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("model.onnx"))
    path = parser.parse_args().out
    network = train()
    export(network, path)
    print(f"{path}: {path.stat().st_size} bytes")
    for split in ("calibration", "evaluation"):
        print(f"accuracy on the {split} split: {accuracy(network, split):.4f}")


if __name__ == "__main__":
    main()
