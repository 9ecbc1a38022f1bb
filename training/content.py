"""`content`: a small network that hears what is said in a voice's mel-cepstra, whoever says it.

It learns phones from synthetic speech, and from recordings that a frame stays the same however voice and room are changed
(InfoNCE: A. van den Oord et al., *Representation learning with contrastive predictive coding*, arXiv 1807.03748, 2018).
Its features are the keys by which a voice pack's codebook is looked up.
"""

import hashlib
import json
import math
import os
import tempfile
import time
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import onnx
import pyworld
import torch
from scipy import signal
from torch import Tensor, nn

from . import audio, config, export as exporter, phones

POINTS, ORDER, HIGHEST = 64, 40, 8000.0  # as MelCepstrum.swift
HOP = 0.01  # seconds
FEATURES, CHANNELS = 48, 144
DILATIONS = (1, 2, 4, 1, 2, 4)
REACH = 2 + sum(DILATIONS)  # frames before and after one that its features depend on
FRAMES = 192  # of a training item
PIECE = 1000  # frames of an utterance whose mean and deviation are taken
ITEMS = {"flite": 8, "espeak": 6, "natural": 6}  # of a batch
RATE, EMA = 2e-3, 0.998
CORPUS = config.WORK / "content"
HELD_OUT = ("kathleen_en_f", "flemishguy_nl_m", "ljspeech_en_f")  # bench/voice converts them
CLIP = 6.0  # of normalized coefficients


# The mel-cepstrum of MelCepstrum.swift, its logarithms of power (64 points) kept apart from the cosines.

def hertz(position: np.ndarray) -> np.ndarray:
    return 700 * (np.exp(np.maximum(position, 0) * np.log(1 + HIGHEST / 700)) - 1)


def position(frequency: np.ndarray) -> np.ndarray:
    return np.minimum(np.log(1 + np.maximum(frequency, 0) / 700) / np.log(1 + HIGHEST / 700), 1)


MIDDLES = (np.arange(POINTS) + 0.5) / POINTS
COSINES = np.cos(np.pi * np.arange(ORDER)[:, None] * MIDDLES) / POINTS * np.where(np.arange(ORDER) == 0, 1, 2)[:, None]


def triangles(rate: int, bins: int) -> np.ndarray:
    """[points, bins]: what of a spectrum each point of the scale reads."""
    spacing, last = rate / 2 / (bins - 1), bins - 1
    center, below, above = (hertz(MIDDLES + shift / POINTS) / spacing for shift in (0, -1, 1))
    low = np.maximum(0, np.minimum(np.minimum(below, center - 1), last - 1))
    high = np.minimum(np.maximum(above, center + 1), last + 1)
    peak = np.minimum(center, last)
    bin = np.arange(bins)
    rising = (bin - low[:, None]) / (peak - low)[:, None]
    falling = (high[:, None] - bin) / (high - peak)[:, None]
    weights = np.clip(np.minimum(rising, falling), 0, 1) + 1e-9 * ((bin >= low[:, None]) & (bin <= high[:, None]))
    return weights / weights.sum(1, keepdims=True)


def analyze(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of power [frames, points] every 10 ms, and which frames are voiced."""
    x = np.ascontiguousarray(samples, np.float64)
    pitch, at = pyworld.dio(x, rate, f0_floor=60, f0_ceil=600, frame_period=HOP * 1000)
    pitch = pyworld.stonemask(x, pitch, at, rate)
    envelope = np.log(pyworld.cheaptrick(x, pitch, at, rate))
    voiced = pitch > 0
    levels = envelope @ triangles(rate, envelope.shape[1]).T
    voiced &= levels.mean(1) > levels.mean(1).max() - 9
    return levels.astype(np.float16), voiced


# The corpus: one file for each speaker and source, made by `build`.

def labels(spoken: phones.Spoken, frames: int, names: list[str]) -> np.ndarray:
    """The number of the phone at each frame; new ones are added to the names. -1: within 10 ms of a border."""
    found, start = np.full(frames, -1, np.int16), 0.0
    for end, name in spoken.phones:
        if name not in names:
            names.append(name)
        first, last = int(np.ceil((start + 0.01) / HOP)), int((end - 0.01) / HOP)
        found[first : last + 1] = names.index(name)
        start = end
    return found


def build_spoken(job: tuple[str, int, int]) -> None:
    """A file of synthetic speech of one voice or language: `kind`, number, sentences."""
    kind, number, count = job
    draw = np.random.default_rng([number, kind == "flite"])
    names: list[str] = []
    items = []
    if kind == "flite":
        for text in phones.sentences("en", number, count):
            voice = phones.FLITE_VOICES[draw.choice(4, p=(0.3, 0.3, 0.25, 0.15))]
            middle = {"slt": 170, "rms": 110, "awb": 130, "kal16": 110}[voice]
            items.append(phones.flite(text, voice, draw.uniform(0.85, 1.35), middle * 2 ** draw.uniform(-0.3, 0.3)))
    else:
        engine = phones.Espeak()
        language = list(phones.ESPEAK_LANGUAGES)[number % 4]
        for text in phones.sentences(phones.ESPEAK_LANGUAGES[language], number, count):
            variant = phones.ESPEAK_VARIANTS[draw.integers(len(phones.ESPEAK_VARIANTS))]
            items.append(engine.speak(text, language, variant, int(draw.integers(120, 200)), int(draw.integers(20, 80))))
    save(f"{kind}-{number:03d}", [(s.samples, s.rate, s) for s in items], names, "" if kind == "flite" else f"{language} ")


def build_recording(path: Path) -> None:
    x = signal.resample_poly(audio.read(path).mean(0), 80, 147)
    save(f"natural-{path.stem}", [(x, 24_000, None)], [])


def save(name: str, items, names: list[str], prefix: str = "") -> None:
    arrays: dict[str, np.ndarray] = {}
    for index, (samples, rate, spoken) in enumerate(items):
        # A little noise, as digital silence has no spectrum.
        samples = samples + 1e-5 * np.random.default_rng(index).standard_normal(len(samples))
        levels, voiced = analyze(samples, rate)
        if voiced.sum() < 50:
            continue
        arrays[f"levels{index}"], arrays[f"voiced{index}"] = levels, voiced
        if spoken:
            arrays[f"phones{index}"] = labels(spoken, len(levels), names)
    arrays["names"] = np.array([prefix + n for n in names])
    audio.write_atomically(CORPUS / f"{name}.npz", lambda file: np.savez(file, **arrays))


def build(processes: int = 2) -> None:
    """Makes what is missing of the corpus: about two hours of synthetic speech, and all recordings that are not held out."""
    recordings = [p for p in sorted((config.DATA / "speech").glob("*/*.opus")) if p.parent.name not in HELD_OUT]
    recordings = [p for p in recordings if not (CORPUS / f"natural-{p.stem}.npz").exists()]
    jobs = [(kind, n, 24) for n in range(32) for kind in ("flite", "espeak")]
    jobs = [job for job in jobs if not (CORPUS / f"{job[0]}-{job[1]:03d}.npz").exists()]
    with Pool(processes, maxtasksperchild=1) as pool:
        for done, _ in enumerate(pool.imap_unordered(build_spoken, jobs), 1):
            print(f"{done} of {len(jobs)} files of synthetic speech", flush=True)
        for _ in pool.imap_unordered(build_recording, recordings):
            pass


class Utterance:
    def __init__(self, levels: np.ndarray, voiced: np.ndarray, phones: np.ndarray | None):
        self.levels, self.voiced, self.phones = levels.astype(np.float32), voiced, phones


class Corpus:
    """Everything that was built, by kind; phones as numbers of one list for each kind."""

    def __init__(self) -> None:
        self.items: dict[str, list[Utterance]] = {kind: [] for kind in ITEMS}
        self.names: dict[str, list[str]] = {"flite": [], "espeak": []}
        for path in sorted(CORPUS.glob("*.npz")):
            kind = path.stem.partition("-")[0]
            with np.load(path) as held:
                numbers = np.array([self.number(kind, str(n)) for n in held["names"]] + [-1])
                for key in held.files:
                    if key.startswith("levels"):
                        index = key.removeprefix("levels")
                        spoken = numbers[held[f"phones{index}"]] if f"phones{index}" in held.files else None
                        self.add(kind, held[key], held[f"voiced{index}"], spoken)

    def add(self, kind: str, levels: np.ndarray, voiced: np.ndarray, spoken: np.ndarray | None) -> None:
        """In pieces, as each view of one is made as a whole."""
        for start in range(0, max(1, len(levels) - PIECE // 2), PIECE):
            cut = slice(start, start + PIECE)
            if voiced[cut].sum() > 50:
                self.items[kind].append(Utterance(levels[cut], voiced[cut], None if spoken is None else spoken[cut]))

    def number(self, kind: str, name: str) -> int:
        if name not in self.names[kind]:
            self.names[kind].append(name)
        return self.names[kind].index(name)

    def split(self, kind: str, valid: bool) -> list[Utterance]:
        """The last of 16 is for validation."""
        return [u for i, u in enumerate(self.items[kind]) if (i % 16 == 15) == valid]


def normalized(levels: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """Input of the network [ORDER + 1, frames]: mel-cepstra less the mean of the voiced frames, over their deviation; voicing."""
    cepstra = levels @ COSINES.T
    mean, deviation = cepstra[voiced].mean(0), cepstra[voiced].std(0) + 1e-3
    values = np.clip((cepstra - mean) / deviation, -CLIP, CLIP)
    return np.concatenate([values, voiced[:, None]], 1).T.astype(np.float32)


def view(utterance: Utterance, draw: np.random.Generator) -> np.ndarray:
    """The same said by another voice in another room: tract warped, noise floor, frequency response."""
    source = np.clip(position(hertz(MIDDLES) / draw.uniform(0.8, 1.25)) * POINTS - 0.5, 0, POINTS - 1.001)
    low, share = source.astype(int), (source - source.astype(int)).astype(np.float32)
    levels = utterance.levels[:, low] * (1 - share) + utterance.levels[:, low + 1] * share
    loud = levels[utterance.voiced].mean()
    floor = loud - draw.uniform(5, 14) - MIDDLES * draw.uniform(0, 4)
    levels = np.logaddexp(levels, floor + 0.5 * draw.standard_normal(levels.shape)).astype(np.float32)
    inputs = normalized(levels, utterance.voiced)
    # What a frequency response leaves after the mean is taken off, of other voiced frames in another recording.
    inputs[:12] += 0.25 * draw.standard_normal((12, 1)).astype(np.float32)
    return inputs


class Block(nn.Module):
    def __init__(self, dilation: int):
        super().__init__()
        self.conv = nn.Conv1d(CHANNELS, CHANNELS, 3, padding=dilation, dilation=dilation)
        self.norm = nn.BatchNorm1d(CHANNELS)
        self.drop = nn.Dropout(0.05)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.drop(self.norm(self.conv(x)).relu())


class Content(nn.Module):
    """[items, ORDER + 1, frames] to [items, FEATURES, frames]."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(ORDER + 1, CHANNELS, 5, padding=2)
        self.blocks = nn.Sequential(*(Block(d) for d in DILATIONS))
        self.last = nn.Conv1d(CHANNELS, FEATURES, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.blocks(self.first(x).relu()))


class Heads(nn.Module):
    def __init__(self, corpus: Corpus):
        super().__init__()
        self.flite = nn.Conv1d(FEATURES, len(corpus.names["flite"]), 1)
        self.espeak = nn.Conv1d(FEATURES, len(corpus.names["espeak"]), 1)


class State:
    def __init__(self, corpus: Corpus):
        self.path = config.RUNS / "content" / "checkpoint.pt"
        self.net, self.heads, self.average = Content(), Heads(corpus), Content()
        self.average.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.AdamW([*self.net.parameters(), *self.heads.parameters()], lr=RATE, weight_decay=1e-2)
        self.step, self.seconds = 0, 0.0

    def parts(self) -> dict:
        return {"net": self.net, "heads": self.heads, "average": self.average, "optimiser": self.optimiser}

    def save(self) -> None:
        held = {name: part.state_dict() for name, part in self.parts().items()} | {"step": self.step, "seconds": self.seconds}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(held, self.path.with_suffix(".tmp"))
        os.replace(self.path.with_suffix(".tmp"), self.path)

    def load(self) -> None:
        if self.path.exists():
            held = torch.load(self.path, weights_only=True)
            for name, part in self.parts().items():
                part.load_state_dict(held[name])
            self.step, self.seconds = held["step"], held["seconds"]


def crop(array: np.ndarray, start: int) -> np.ndarray:
    cut = array[..., start : start + FRAMES]
    return np.pad(cut, [(0, 0)] * (cut.ndim - 1) + [(0, FRAMES - cut.shape[-1])], constant_values=0 if cut.ndim > 1 else -1)


def batch(items: list[Utterance], count: int, draw: np.random.Generator, views: int) -> tuple[list[Tensor], Tensor]:
    """Views of the same frames, [count, ORDER + 1, FRAMES] each, and their phones [count, FRAMES]."""
    inputs, spoken = [], []
    for _ in range(count):
        utterance = items[draw.integers(len(items))]
        start = draw.integers(max(1, len(utterance.voiced) - FRAMES))
        inputs.append([crop(view(utterance, draw), start) for _ in range(views)])
        spoken.append(crop(utterance.phones if utterance.phones is not None else np.full(len(utterance.voiced), -1), start))
    return [torch.from_numpy(np.stack([i[v] for i in inputs])) for v in range(views)], torch.from_numpy(np.stack(spoken)).long()


def sameness(first: Tensor, second: Tensor, draw: np.random.Generator) -> Tensor:
    """InfoNCE of frames of two views: each is to be told from the other frames of its own recording and others."""
    at = torch.from_numpy(draw.choice(FRAMES, 40, replace=False))
    a, b = (nn.functional.normalize(x[:, :, at].transpose(1, 2).flatten(0, 1), dim=1) for x in (first, second))
    alike = a @ b.T / 0.1
    target = torch.arange(len(a))
    return (nn.functional.cross_entropy(alike, target) + nn.functional.cross_entropy(alike.T, target)) / 2


def run(minutes: float, threads: int) -> None:
    """Trains, from the last checkpoint on, until `minutes` of training are done in all."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    corpus = Corpus()
    state = State(corpus)
    state.load()
    train = {kind: corpus.split(kind, valid=False) for kind in ITEMS}
    print({kind: f"{sum(len(u.voiced) for u in items) * HOP / 60:.0f} min" for kind, items in train.items()},
          {kind: len(names) for kind, names in corpus.names.items()}, flush=True)
    began, saved = time.monotonic() - state.seconds, time.monotonic()
    while (seconds := time.monotonic() - began) < minutes * 60:
        draw = np.random.default_rng([7, state.step])
        progress = seconds / (minutes * 60)
        for group in state.optimiser.param_groups:
            group["lr"] = RATE * min(1, (state.step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * progress)) + 1e-5
        state.net.train()
        losses = {}
        for kind, weight in (("flite", 1.0), ("espeak", 0.7)):
            (inputs,), spoken = batch(train[kind], ITEMS[kind], draw, 1)
            guess = getattr(state.heads, kind)(state.net(inputs))
            losses[kind] = weight * nn.functional.cross_entropy(guess, spoken, ignore_index=-1, label_smoothing=0.05)
        (one, other), _ = batch(train["natural"], ITEMS["natural"], draw, 2)
        first, second = state.net(torch.cat([one, other])).chunk(2)
        losses["same"] = 0.3 * sameness(first, second, draw)
        # Phones of recordings are not known, but the same in both views.
        agreement = [nn.functional.mse_loss(*(getattr(state.heads, kind)(x).softmax(1) for x in (first, second))) for kind in corpus.names]
        losses["agree"] = 15 * progress * sum(agreement)
        total = sum(losses.values())
        state.optimiser.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(state.net.parameters(), 5)
        state.optimiser.step()
        state.step += 1
        with torch.no_grad():
            decay = min(EMA, (1 + state.step) / (10 + state.step))
            for mine, new in zip(state.average.state_dict().values(), state.net.state_dict().values(), strict=True):
                mine.copy_(mine.lerp(new, 1 - decay) if mine.dtype.is_floating_point else new)
        state.seconds = time.monotonic() - began
        if state.step % 50 == 0:
            print(state.step, f"{state.seconds:.0f} s", {k: round(v.item(), 3) for k, v in losses.items()}, flush=True)
        if time.monotonic() - saved > 120:
            state.save()
            print("phones right", accuracy(state, corpus), flush=True)
            saved = time.monotonic()
    state.save()
    print("phones right", accuracy(state, corpus), flush=True)


def accuracy(state: State, corpus: Corpus) -> dict[str, float]:
    """Shares of frames of unseen sentences whose phone the averaged network finds."""
    state.average.eval()
    result = {}
    with torch.inference_mode():
        for kind in corpus.names:
            right = count = 0
            for utterance in corpus.split(kind, valid=True):
                inputs = torch.from_numpy(normalized(utterance.levels, utterance.voiced))[None]
                guess = getattr(state.heads, kind)(state.average(inputs))[0].argmax(0).numpy()
                known = utterance.phones >= 0
                right, count = right + (guess == utterance.phones)[known].sum(), count + known.sum()
            result[kind] = round(float(right / count), 3)
    return result


# The pack.

BLOCK = 256  # frames of one inference
TOLERANCE = 0.02  # of a feature, for half-precision weights; features have a deviation of 1


def standardize(net: Content, corpus: Corpus) -> None:
    """Changes the last layer so that features of voiced frames of recordings have mean 0 and deviation 1."""
    found = []
    with torch.inference_mode():
        for utterance in corpus.items["natural"]:
            features = net(torch.from_numpy(normalized(utterance.levels, utterance.voiced))[None])[0]
            found.append(features[:, torch.from_numpy(utterance.voiced)])
        all_of_them = torch.cat(found, 1)
        mean, deviation = all_of_them.mean(1), all_of_them.std(1)
        net.last.weight /= deviation[:, None, None]
        net.last.bias.sub_(mean).div_(deviation)


def to_onnx(net: Content) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        torch.onnx.export(net, (torch.zeros(1, ORDER + 1, BLOCK),), str(path), input_names=["cepstra"], output_names=["features"],
                          opset_version=17, dynamo=False)
        model = exporter.halve_weights(onnx.load(str(path)))
    onnx.checker.check_model(model)
    return model.SerializeToString()


def export(version: str = "0.1.0") -> Path:
    """Writes Models/content; fails if a runtime differs from PyTorch."""
    corpus = Corpus()
    state = State(corpus)
    state.load()
    net = state.average.eval()
    standardize(net, corpus)
    data = to_onnx(net)
    x = normalized(corpus.items["natural"][0].levels, corpus.items["natural"][0].voiced)[None, :, :BLOCK]
    with torch.inference_mode():
        wanted = net(torch.from_numpy(x)).numpy()
    differences = np.abs(exporter.openvino_model(data)([x])[0] - wanted)
    print(f"content: step {state.step}, {state.seconds / 60:.1f} min; {len(data) / 1e6:.2f} MB; largest difference {differences.max():.4f}")
    if differences.max() > TOLERANCE:
        raise ValueError("the exported model does not equal the trained one")
    folder = config.PACKS / "content"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(data)
    manifest = {
        "format": 1, "name": "content", "version": version, "licence": "CC-BY-4.0 (attributions in README.md)",
        "sha256": {"model.onnx": hashlib.sha256(data).hexdigest()}, "kind": "content",
        "hop_milliseconds": round(HOP * 1000), "block_frames": BLOCK, "reach": REACH, "coefficients": ORDER, "features": FEATURES,
    }
    (folder / "model.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return folder
