"""Tables of metrics on ../shared/eval and on pieces of a soundfont that training never saw.

SDR is 10·log10(|s|² / |s − estimate|²) over the whole clip and both channels, without any projection;
the median is over 1 s frames in which the stem sounds (above −40 dB of its loudest second).
"""

from pathlib import Path

import numpy as np
import torch

from . import audio, baselines, config, render, separate

INSTRUMENTALS = ("full_mixes/macleod_sugar_plum_fairy.opus", "full_mixes/helland_leaving_millie_live_piano.opus",
                 "music/vocadito1_plus_vibe_ace/accompaniment.flac")


def sdr(target: np.ndarray, estimate: np.ndarray) -> float:
    error = float(((target - estimate).astype(np.float64) ** 2).sum())
    return float(10 * np.log10(((target.astype(np.float64) ** 2).sum() + 1e-12) / (error + 1e-12)))


def median_sdr(target: np.ndarray, estimate: np.ndarray) -> float:
    n = config.RATE
    frames = [slice(i, i + n) for i in range(0, target.shape[1] - n + 1, n)]
    energy = np.array([(target[:, f] ** 2).sum() for f in frames])
    loud = [f for f, e in zip(frames, energy, strict=True) if e > energy.max() * 1e-4]
    return float(np.median([sdr(target[:, f], estimate[:, f]) for f in loud]))


def songs() -> dict[str, dict[str, np.ndarray]]:
    """The recordings with stems: name to stems [2, n]; `other` and `accompaniment` as their folders have them."""
    found = {}
    for folder in sorted((config.EVAL / "music").iterdir()):
        stems = {p.stem: audio.stereo(audio.read(p)) for p in sorted(folder.glob("*.flac")) if p.stem != "mixture"}
        found[folder.name] = {{"drums": "drum"}.get(name, name): x for name, x in stems.items()}
    return found


def unseen_pieces(count: int, seconds: float = 20) -> list[dict[str, np.ndarray]]:
    """Pieces rendered with MuseScore General; every other one has vowels of a held-out singer."""
    renderer, found = render.Renderer(test=True), []
    for i in range(count):
        kinds = ["drum", "bass", "piano", "electric_guitar", "strings"] + (["vocals"] if i % 2 == 0 else [])
        kinds[3] = ("electric_guitar", "wind", "acoustic_guitar", "synthesizer")[i % 4]
        kinds, parts = renderer.song(900_000 + i, seconds, "valid", kinds)
        stems = {name: np.zeros(parts.shape[1:], np.float32) for name in config.STEMS}
        for kind, sound in zip(kinds, parts, strict=True):
            stems[config.STEMS[config.stem_of(kind)]] += sound * (0.6 if kind in config.OTHER_KINDS else 1)
        found.append({name: x for name, x in stems.items() if np.abs(x).max() > 0})
    return found


def estimates(stems: dict[str, np.ndarray], separator: separate.Separator) -> dict[str, dict[str, np.ndarray]]:
    """System to stem to estimate, for the sum of `stems`."""
    mixture = sum(stems.values())
    masks = separator.masks(audio.stft(mixture))
    found: dict[str, dict[str, np.ndarray]] = {"no-op": {name: mixture for name in stems}}
    found["classical"] = {"vocals": baselines.centre(mixture), "drum": baselines.percussive(mixture), "bass": baselines.low_pass(mixture)}
    vocals, rest = separate.divided(masks["spleeter"], mixture)
    found["spleeter"] = {"vocals": vocals, "accompaniment": rest}
    for system in ("core", "fused"):
        if system in masks:
            found[system] = dict(zip(config.STEMS, separate.divided(masks[system], mixture), strict=True))
            found[system]["accompaniment"] = mixture - found[system]["vocals"]
    found["oracle"] = dict(zip(stems, baselines.oracle(np.stack(list(stems.values()))), strict=True))
    return found


def table(rows: list[tuple[str, ...]], head: tuple[str, ...]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


SYSTEMS = ("no-op", "classical", "spleeter", "core", "fused", "oracle")


def scores(stems: dict[str, np.ndarray], separator: separate.Separator) -> dict[str, dict[str, tuple[float, float]]]:
    """Stem to system to (SDR, median SDR)."""
    found = estimates(stems, separator)
    return {
        name: {s: (sdr(target, found[s][name]), median_sdr(target, found[s][name])) for s in SYSTEMS if name in found.get(s, {})}
        for name, target in stems.items()
    }


def row(label: str, by_system: dict[str, tuple[float, float]]) -> tuple[str, ...]:
    cells = (f"{by_system[s][0]:.1f} ({by_system[s][1]:.1f})" if s in by_system else "–" for s in SYSTEMS)
    return (label, *cells)


def confusion(separator: separate.Separator, system: str) -> list[tuple[str, ...]]:
    """Share of a solo recording's energy that each stem gets."""
    rows = []
    for path in sorted((config.EVAL / "solo").glob("*.*")):
        x = audio.stereo(audio.read(path, 0, 20))
        stems = separate.divided(separator.masks(audio.stft(x))[system], x)
        energy = (stems.astype(np.float64) ** 2).sum((1, 2))
        rows.append((path.stem, *(f"{v:.2f}" for v in energy / energy.sum())))
    return rows


def false_vocals(separator: separate.Separator) -> list[tuple[str, ...]]:
    """Energy sent to vocals on instrumentals, in dB relative to the mixture."""
    rows = []
    for name in INSTRUMENTALS:
        x = audio.stereo(audio.read(config.EVAL / name, 0, 30))
        masks = separator.masks(audio.stft(x))
        cells = []
        for system in ("spleeter", "core", "fused"):
            y = separate.divided(masks[system], x)[0] if system in masks else None
            cells.append("–" if y is None else f"{10 * np.log10((y**2).sum() / (x**2).sum() + 1e-12):.1f}")
        rows.append((Path(name).parent.name + "/" + Path(name).stem, *cells))
    return rows


def main(threads: int = 1, pieces: int = 6) -> None:
    torch.set_num_threads(threads)
    separator = separate.Separator(threads=threads, fusion=separate.load_fusion())
    head = ("SDR in dB, whole clip (median of 1 s frames)", *SYSTEMS)
    rows = [row(f"{song}: {stem}", by) for song, stems in songs().items() for stem, by in scores(stems, separator).items()]
    print("\n" + table(rows, head), flush=True)

    gathered: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for stems in unseen_pieces(pieces):
        for stem, by in scores(stems, separator).items():
            for system, value in by.items():
                gathered.setdefault(stem, {}).setdefault(system, []).append(value)
    rows = []
    for stem, by in gathered.items():
        means = {s: (float(np.mean([v[0] for v in values])), float(np.mean([v[1] for v in values]))) for s, values in by.items()}
        rows.append(row(f"unseen soundfont, mean of {len(by['no-op'])}: {stem}", means))
    print("\n" + table(rows, head), flush=True)

    print("\n" + table(false_vocals(separator), ("false vocals on instrumentals, dB", "spleeter", "core", "fused")), flush=True)
    system = "fused" if separator.fusion else "core"
    print("\n" + table(confusion(separator, system), (f"solo: share of energy ({system})", *config.STEMS)), flush=True)
