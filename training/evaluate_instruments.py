"""Tables of metrics for `music-instruments`: pieces of a soundfont that training never saw, and solo recordings.

SI-SDR is the scale-invariant ratio of Le Roux et al. (2019), over the whole clip and both channels.
"""

import numpy as np
import torch

from . import audio, baselines, config, render, separate
from .evaluate import sdr, table

DESIGN = (0, 3, 5, 6)  # a difference set modulo 7: in seven pieces every pair of kinds meets twice
SOLOS = ("full_mixes/helland_leaving_millie_live_piano.opus", "full_mixes/macleod_sugar_plum_fairy.opus")


def si_sdr(target: np.ndarray, estimate: np.ndarray) -> float:
    t, e = target.astype(np.float64).ravel(), estimate.astype(np.float64).ravel()
    scaled = t * ((t @ e) / (t @ t + 1e-12))
    return float(10 * np.log10((scaled @ scaled + 1e-12) / ((e - scaled) @ (e - scaled) + 1e-12)))


def unseen_pieces(count: int, seconds: float = 20, band: bool = False) -> list[dict[str, np.ndarray]]:
    """Pieces of four different kinds, each at −20 dBFS, played with MuseScore General; with a `band` drums and bass too."""
    renderer, found = render.Renderer(test=True, ensemble=True), []
    for i in range(count):
        kinds = [config.INSTRUMENTS[(i + d) % 7] for d in DESIGN] + (["drum", "bass"] if band else [])
        kinds, parts = renderer.song(950_000 + i, seconds, "valid", kinds)
        found.append(dict(zip(kinds, parts, strict=True)))
    return found


def measured(stems: dict[str, np.ndarray], network: separate.Network, given: np.ndarray | None = None,
             heard: np.ndarray | None = None, whole: np.ndarray | None = None) -> dict[str, dict[str, float]]:
    """Figures by kind for the sum of `stems`; the network divides `given`, and hears the spectrum `heard` as a part of `whole`, or else
    both are that sum."""
    mixture = sum(stems.values())
    if given is None:
        given, heard = mixture, audio.stft(mixture)
    masks = network.masks(heard, whole)
    estimates = dict(zip(config.INSTRUMENTS, separate.apply(masks, given), strict=True))
    best = dict(zip(stems, baselines.oracle(np.stack(list(stems.values()))), strict=True))
    found = {}
    for kind, estimate in estimates.items():
        if kind in stems:
            noop = si_sdr(stems[kind], mixture)
            found[kind] = {
                "no-op": sdr(stems[kind], mixture), "sdr": sdr(stems[kind], estimate),
                "gain": si_sdr(stems[kind], estimate) - noop, "oracle": sdr(stems[kind], best[kind]),
            }
        else:
            energy = float((estimate.astype(np.float64) ** 2).sum() / ((given.astype(np.float64) ** 2).sum() + 1e-12))
            found[kind] = {"false": 10 * np.log10(energy + 1e-12)}
    return found


def summary(pieces: list[dict[str, dict[str, float]]]) -> list[tuple[str, ...]]:
    """By kind means and medians over the pieces."""
    rows = []
    for kind in config.INSTRUMENTS:
        def of(key: str, kind: str = kind) -> np.ndarray:
            return np.array([p[kind][key] for p in pieces if key in p[kind]])

        value, gain = of("sdr"), of("gain")
        rows.append((kind, f"{of('no-op').mean():.1f}", f"{value.mean():.2f} ({np.median(value):.2f})",
                     f"{gain.mean():.2f} ({np.median(gain):.2f})", f"{of('oracle').mean():.1f}", f"{np.median(of('false')):.0f}"))
    return rows


def confusion(network: separate.Network) -> list[tuple[str, ...]]:
    """Share of a recording's energy that each stem gets."""
    rows = []
    for path in (*sorted((config.EVAL / "solo").glob("*.*")), *(config.EVAL / name for name in SOLOS)):
        x = audio.stereo(audio.read(path, 0, 20))
        stems = separate.apply(network.masks(audio.stft(x)), x)
        energy = (stems.astype(np.float64) ** 2).sum((1, 2))
        rows.append((path.stem, *(f"{v:.2f}" for v in energy / energy.sum())))
    return rows


HEAD = ("no-op SDR", "SDR, mean (median)", "SI-SDR over no-op, mean (median)", "oracle mask SDR", "when absent, dB of the mixture")


def main(threads: int = 1, count: int = 14, network: separate.Network | None = None) -> None:
    torch.set_num_threads(threads)
    network = network or separate.Network("music-instruments", threads)
    rows = summary([measured(stems, network) for stems in unseen_pieces(count)])
    print("\n" + table(rows, (f"{count} pieces of the unseen soundfont, true other", *HEAD)), flush=True)

    first, second = separate.Network("music-core", threads), []
    for stems in unseen_pieces(count, band=True):
        mixture, index = sum(stems.values()), config.STEMS.index("other")
        spectrum = audio.stft(mixture)
        masks = first.masks(spectrum)
        other = separate.divided(masks, mixture)[index]
        second.append(measured({k: x for k, x in stems.items() if k in config.INSTRUMENTS}, network, other, spectrum * masks[index], spectrum))
    print("\n" + table(summary(second), (f"{count} pieces with drums and bass, other by music-core", *HEAD)), flush=True)
    print("\n" + table(confusion(network), ("solo: share of energy", *config.INSTRUMENTS)), flush=True)
