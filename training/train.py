"""The trainer: resumes from its last checkpoint, anneals by wall clock, keeps an average of the weights."""

import math
import os
import time
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import config
from .mix import Feeder, Library
from .model import Core, planes_of
from .tasks import TASKS, Task

RATE, WARM_UP, EMA = 2e-3, 100, 0.998
CHECKPOINT_EVERY, VALIDATE_EVERY = 120.0, 600.0
# Band groups of the loss, in bins: bass, low mids, voice, presence, air.
GROUPS = (0, 24, 64, 128, 256, 384, 576, 768, 1152, config.BINS)


def spectra(sound: Tensor, hop: int = config.HOP) -> Tensor:
    """[..., n] to complex [..., T, F], F the lowest bins."""
    window = torch.hann_window(config.SIZE, periodic=True, device=sound.device)
    return torch.fft.rfft(sound.unfold(-1, config.SIZE, hop) * window)[..., : config.BINS].contiguous()


def random_equaliser(count: int, generator: torch.Generator) -> Tensor:
    """Smooth random gains [count, 1, 1, F] that make timbres vary between items."""
    knots = torch.randn(count, 9, generator=generator) * 2.5
    position = torch.log2(torch.arange(config.BINS).clamp(min=1).float()) / math.log2(config.BINS) * 8
    index = position.floor().clamp(max=7).long()
    part = position - index
    curve = knots[:, index] * (1 - part) + knots[:, index + 1] * part
    return (10 ** (curve / 20)).reshape(count, 1, 1, config.BINS)


class Truth:
    """A batch [B, S, 2, n] as the loss wants it: spectra of the stems that sound, and of the mixtures."""

    def __init__(self, stems: Tensor, hop: int = config.HOP, generator: torch.Generator | None = None):
        self.shape = stems.shape[:2]
        self.item, self.stem = torch.nonzero(stems.abs().amax((2, 3)), as_tuple=True)
        self.spectra = spectra(stems[self.item, self.stem], hop)  # [N, 2, T, F]
        if generator is not None:
            self.spectra *= random_equaliser(len(self.item), generator).to(stems.device)
        self.mixture = torch.zeros(len(stems), *self.spectra.shape[1:], dtype=self.spectra.dtype, device=stems.device)
        self.mixture.index_add_(0, self.item, self.spectra)

    def error(self, mask: Tensor) -> Tensor:
        """Energy of the error of the masked mixture, [B, S, F].

        |m·x − t|² = m²|x|² − 2m·Re(x̄t) + |t|², in real numbers, the last two only where there is a stem.
        """
        x, t = self.mixture[self.item], self.spectra
        cross = t.real * x.real + t.imag * x.imag
        own = (t.real.square() + t.imag.square()).sum((1, 2))
        power = self.mixture.real.square() + self.mixture.imag.square()
        error = (mask.square() * power.unsqueeze(1)).sum((2, 3))
        there = own - 2 * (mask[self.item, self.stem] * cross).sum((1, 2))
        return error.index_put((self.item, self.stem), there, accumulate=True).clamp(min=0)


    def surprise(self, mask: Tensor) -> Tensor:
        """Cross-entropy of the masks given each stem's share of a bin's magnitude, loud bins weighing more.

        Unlike the error's norm it is steep where the network is wrong, and so teaches sooner who plays; and where
        that cannot be told it asks for shares, while the norm bets on one.
        """
        size = self.spectra.abs()
        whole = torch.zeros_like(self.mixture.real).index_add_(0, self.item, size)
        weight = self.mixture.abs()
        weight = weight / weight.sum((1, 2, 3), keepdim=True)
        share = size / (whole + 1e-9)[self.item] * weight[self.item]
        return -(share * (mask[self.item, self.stem] + 1e-4).log()).sum() / len(self.mixture)


def loss_of(mask: Tensor, truth: Truth, stem_weights: tuple[float, ...] | None = None, ratio: float = 0) -> Tensor:
    """Mean over items, stems and band groups of the L2 norm of the complex error of the masked mixture.

    A norm, not its square, so that rare and quiet stems count; groups are divided by the root of their
    mixture's norm, so that treble counts although bass carries the energy. With a `ratio` so many times the
    logarithm of the error relative to the mixture (at most 30 dB below it) is added: every item counts alike, and the bins that decide the SDR.
    """
    error = truth.error(mask)
    reference = truth.mixture.abs().square().sum((1, 2))
    total = torch.zeros((), device=mask.device)
    weights = torch.tensor(stem_weights or (1.0,) * mask.shape[1], device=mask.device)
    for low, high in zip(GROUPS[:-1], GROUPS[1:], strict=True):
        norm = (error[..., low:high].sum(-1) + 1e-4).sqrt()
        scale = (reference[..., low:high].sum(-1) + 1e-1).pow(0.25)
        total = total + (norm / scale.unsqueeze(1) * weights).mean()
    total = total / (len(GROUPS) - 1)
    if ratio:
        whole = reference.sum(-1, keepdim=True) + 1e-1
        total = total + ratio * (error.sum(-1) / whole + 1e-3).log().mean()
    return total


class State:
    """Everything that a checkpoint holds."""

    def __init__(self, folder: Path, task: Task):
        self.path = folder / "checkpoint.pt"
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.net = task.network().to(self.device, memory_format=torch.channels_last)
        self.average = deepcopy(self.net).eval()
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=RATE, weight_decay=1e-4)
        self.step, self.seconds = 0, 0.0

    def save(self) -> None:
        temporary = self.path.with_suffix(".tmp")
        torch.save(
            {"net": self.net.state_dict(), "average": self.average.state_dict(), "optimiser": self.optimiser.state_dict(),
             "step": self.step, "seconds": self.seconds}, temporary)
        os.replace(temporary, self.path)

    def load(self) -> bool:
        if not self.path.exists():
            return False
        held = torch.load(self.path, map_location=self.device, weights_only=True)
        self.net.load_state_dict(held["net"])
        self.average.load_state_dict(held["average"])
        self.optimiser.load_state_dict(held["optimiser"])
        self.step, self.seconds = held["step"], held["seconds"]
        return True

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Takes over parameters by name; those of another shape (the masks of other stems) stay as they are.

        Weights of inputs that the other network lacks, which come last, are zero to begin with.
        """
        mine, fitting = self.net.state_dict(), {}
        for name, value in weights.items():
            shape = mine[name].shape
            if name.startswith(("split.weights", "head.latent.")) and value.shape[1] < shape[1]:
                value = nn.functional.pad(value, (0, 0, 0, shape[1] - value.shape[1]))
            if value.shape == shape:
                fitting[name] = value
        for net in (self.net, self.average):
            net.load_state_dict(mine | fitting)

    def update_average(self) -> None:
        decay = min(EMA, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mine, new in zip(self.average.state_dict().values(), self.net.state_dict().values(), strict=True):
                if mine.dtype.is_floating_point:
                    mine.lerp_(new, 1 - decay)
                else:
                    mine.copy_(new)


class Threads:
    """Chooses between one thread and all of them by what is faster now.

    On a machine shared with other work, two low-priority threads wait for each other at every barrier
    and can be slower than one. Every 60 steps each choice is tried for 4.
    """

    def __init__(self, most: int):
        self.most, self.count, self.times = most, 0, {1: [], most: []}

    def before_step(self) -> None:
        turn = self.count % 60
        choice = 1 if turn < 4 else self.most
        if turn >= 8:
            choice = min(self.times, key=lambda n: float(np.median(self.times[n])))
        if turn == 0:
            self.times = {1: [], self.most: []}
        self.now, self.began = choice, time.monotonic()
        torch.set_num_threads(choice)
        self.count += 1

    def after_step(self) -> None:
        self.times[self.now].append(time.monotonic() - self.began)


def half_precision(device: torch.device) -> bool:
    """Whether this device multiplies bfloat16, which nearly doubles a processor's speed."""
    return torch.cuda.is_bf16_supported() if device.type == "cuda" else bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def sdr_db(estimate: Tensor, target: Tensor) -> float:
    return float(10 * torch.log10(target.abs().square().sum() / ((estimate - target).abs().square().sum() + 1e-9)))


def validate(net: Core, batches: list[np.ndarray], task: Task) -> tuple[float, list[float]]:
    """Loss and, by stem, the median over items of the SDR of the masked spectrum where the stem sounds."""
    losses: list[float] = []
    scores: list[list[float]] = [[] for _ in task.stems]
    with torch.inference_mode():
        for batch in batches:
            truth = Truth(torch.from_numpy(batch).to(net.centre.device), task.hop)
            mask = net.masks(planes_of(truth.mixture))
            losses.append(float(loss_of(mask, truth, task.weights, task.ratio)))
            for item, stem, target in zip(truth.item, truth.stem, truth.spectra, strict=True):
                if target.abs().square().sum() > 1e-3 * truth.mixture[item].abs().square().sum():
                    scores[stem].append(sdr_db(mask[item, stem] * truth.mixture[item], target))
    return float(np.mean(losses)), [float(np.median(s)) if s else math.nan for s in scores]


def run(pack: str, minutes: float, threads: int, max_steps: int | None = None,
        start: dict[str, Tensor] | None = None, peak: float = RATE) -> State:
    """Trains until `minutes` of training have passed, those before the last checkpoint included.

    Without a checkpoint, `start` (parameters by name) is where it begins, or else chance. `peak` is the rate until two thirds
    of the time.
    """
    torch.set_num_threads(threads)
    task, folder = TASKS[pack], config.RUNS / pack
    folder.mkdir(parents=True, exist_ok=True)
    state = State(folder, task)
    resumed = state.load()
    if start and not resumed:
        state.start_from(start)
    log = open(folder / "log.txt", "a", buffering=1)  # noqa: SIM115 - lives as long as the run

    def say(text: str) -> None:
        line = f"{time.strftime('%F %T')} {text}"
        log.write(line + "\n")
        print(line, flush=True)

    parameters = sum(p.numel() for p in state.net.parameters())
    say(f"{'resume' if resumed else 'start'} {pack}: step {state.step}, {parameters / 1e6:.2f} M parameters, {minutes} min on {state.device.type}")
    feeder = Feeder(task.mixer(Library("train"), task.samples, seed=state.step + 1), task.batch)
    held_out = Library("valid")
    mixer = task.mixer(held_out, task.samples, seed=99)
    valid = [mixer.batch(task.batch) for _ in range(8)] if held_out.songs else []

    def report() -> None:
        value, scores = validate(state.average, valid, task)
        say(f"validation loss {value:.4f} SDR " + " ".join(f"{n} {s:.2f}" for n, s in zip(task.stems, scores, strict=True)))

    generator = torch.Generator().manual_seed(state.step)
    began, already = time.monotonic(), state.seconds
    saved = validated = began
    recent: list[float] = []
    first_step, team, bfloat = state.step, Threads(threads), half_precision(state.device)
    while state.seconds < minutes * 60 and (max_steps is None or state.step - first_step < max_steps):
        done = state.seconds / (minutes * 60)
        # Full until two thirds of the time, then half a cosine.
        fall = min(max(3 * done - 2, 0), 1)
        rate = peak * min(1, (state.step + 1) / WARM_UP) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall)))
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        batch = torch.from_numpy(feeder.next()).to(state.device)
        team.before_step()
        truth = Truth(batch, task.hop, generator)
        planes = planes_of(truth.mixture).contiguous(memory_format=torch.channels_last)
        with torch.autocast(state.device.type, torch.bfloat16, enabled=bfloat):
            logits = state.net.logits(planes)
        mask = torch.softmax(logits.float(), 1)
        loss = loss_of(mask, truth, task.weights, task.ratio)
        if task.surprise:
            loss = loss + task.surprise * truth.surprise(mask)
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(state.net.parameters(), 1.0)
        if torch.isfinite(norm):
            state.optimiser.step()
        state.step += 1
        state.update_average()
        team.after_step()
        recent.append(float(loss.detach()))
        now = time.monotonic()
        state.seconds = already + now - began
        if state.step % 50 == 0:
            say(f"step {state.step} {state.seconds / 60:.1f} min {task.hours(state.step):.2f} h loss {np.mean(recent):.4f} rate {rate:.1e} threads {team.now}")
            recent.clear()
        if now - saved > CHECKPOINT_EVERY:
            state.save()
            saved = now
        if valid and now - validated > VALIDATE_EVERY:
            report()
            validated = time.monotonic()
    state.save()
    if valid:
        report()
    say(f"stop: step {state.step}, {state.seconds / 60:.1f} min")
    return state
