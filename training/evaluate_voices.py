"""Tables of metrics for `vocals-lead` and `dry`: voices, a song and rooms that training never had, and real singing."""

import numpy as np
import torch

from . import audio, baselines, config, effects, render, rooms, separate, spatial, voices
from .evaluate import sdr, table
from .evaluate_instruments import si_sdr
from .mix import Library, Song
from .mix_voices import LeadMixer

SECONDS = 6
WIDE = -6.0  # dB of the difference of the channels in their sum
SOLOS = ("vocadito_1_singing", "smstools_singing-female", "smstools_speech-female", "smstools_speech-male")


def held_out(choirs: int) -> Library:
    """So many choirs of the held-out voices, and their recordings, in memory."""
    library = Library("valid")
    library.songs.clear()

    def add(name: str, source: str, lanes: np.ndarray) -> None:
        sound = np.round(np.clip(lanes, -1, 1) * 32767).astype(np.int16)
        library.songs[name] = Song(name, ["voice"] * len(lanes), source, sound[:, None])

    for name, paths in voices.recordings("valid").items():
        add(name, "lane", voices.levelled(np.concatenate([audio.read(p).mean(0, keepdims=True) for p in paths], 1)))
    seed = 700_000
    while len(library.of("choir")) < choirs:
        lanes = voices.choir(seed, "valid")
        if lanes is not None:
            add(f"choir-{seed}", "choir", lanes)
        seed += 1
    return library


def separated(network: separate.Network, x: np.ndarray) -> np.ndarray:
    """What the engine makes of [2, n] with a network of two stems: [2, 2, n]."""
    return separate.apply(network.masks(audio.stft(x)), x)


def decibels(x: np.ndarray, reference: np.ndarray) -> float:
    return float(10 * np.log10(((x.astype(np.float64) ** 2).sum() + 1e-12) / ((reference.astype(np.float64) ** 2).sum() + 1e-12)))


def gains(stems: np.ndarray, network: separate.Network) -> dict[str, float]:
    """Figures of [2, 2, n]: SI-SDR of the first stem without doing anything, and by how much others are above that; how
    wide the second stem is."""
    mixture = stems.sum(0)
    noop, found = si_sdr(stems[0], mixture), separated(network, mixture)
    return {
        "no-op": noop,
        "centre": si_sdr(stems[0], baselines.centre(mixture)) - noop,
        "gain": si_sdr(stems[0], found[0]) - noop,
        "sdr": sdr(stems[0], found[0]),
        "second": si_sdr(stems[1], found[1]) - si_sdr(stems[1], mixture),
        "oracle": si_sdr(stems[0], baselines.oracle(stems)[0]) - noop,
        "width": decibels(stems[1, 0] - stems[1, 1], stems[1, 0] + stems[1, 1]),
    }


def row(label: str, found: list[dict[str, float]], keys: tuple[str, ...]) -> tuple[str, ...]:
    """Means, and the median of the gain."""
    means = {k: float(np.mean([f[k] for f in found])) for k in keys}
    return (label, str(len(found)), *(
        f"{means[k]:.1f} ({np.median([f[k] for f in found]):.1f})" if k == "gain" else f"{means[k]:.1f}" for k in keys))


def choirs(library: Library, count: int, related: float, seed: int) -> list[np.ndarray]:
    """Items with a lead and voices behind it that both sound, of one choir or (`related` 0) of different recordings."""
    mixer = LeadMixer(library, SECONDS * config.RATE, seed)
    mixer.related, found = related, []
    while len(found) < count:
        stems = mixer.item()
        if min((stems**2).mean((1, 2))) > 1e-5:
            found.append(stems)
    return found


def real_choirs(count: int = 6) -> list[np.ndarray]:
    """Lead and backing tracks of the held-out song, as recorded: the lead in the middle, two others left and right."""
    lanes = voices.recordings("valid")
    lead = audio.read(lanes["everythingisfree-lead"][0]).mean(0)
    backing, found = audio.read(lanes["everythingisfree-backing"][0]).mean(0), []
    n = SECONDS * config.RATE
    for i in range(count):
        x = lead[(2 * i + 1) * n :][:n]
        behind = [backing[(i * n + shift) % (len(backing) - n) :][:n] for shift in (0, 20_000)]
        if len(x) < n or effects.rms(x[None]) < 1e-3:
            break
        behind = np.stack([0.9 * behind[0] + 0.3 * behind[1], 0.3 * behind[0] + 0.9 * behind[1]])
        behind *= effects.decibel(-6) * effects.rms(x[None]) / (effects.rms(behind) + 1e-9)
        found.append(np.stack([np.stack([x, x]), behind]).astype(np.float32))
    return found


def in_songs(library: Library, network: separate.Network, count: int) -> list[dict[str, float]]:
    """The whole chain: choirs over music of the unseen soundfont, vocals by the fused first stage."""
    separator, renderer = separate.Separator(fusion=separate.load_fusion()), render.Renderer(test=True)
    found = []
    for i, stems in enumerate(choirs(library, count, 1.0, 5)):
        music = renderer.song(910_000 + i, SECONDS, "valid", ["drum", "bass", "piano", "strings"])[1].sum(0)[:, : stems.shape[2]]
        voices_alone = stems.sum(0)[:, : music.shape[1]]
        mixture = voices_alone + music * np.float32(effects.rms(voices_alone) / (effects.rms(music) + 1e-9))
        spectrum = audio.stft(mixture)
        masks = separator.masks(spectrum)["fused"]
        vocals, seen = spatial.divided(masks, spectrum)[0], spectrum * masks[0]
        both = [audio.istft(x, mixture.shape[1]) for x in (vocals, vocals * network.masks(seen, spectrum)[0])]
        target = stems[0, :, : music.shape[1]]
        noop = si_sdr(target, both[0])
        found.append({"no-op": noop, "gain": si_sdr(target, both[1]) - noop, "sdr": sdr(target, both[1])})
    return found


def lead(network: separate.Network, count: int) -> None:
    library, keys = held_out(max(4, count // 2)), ("no-op", "centre", "gain", "sdr", "second", "oracle")
    every = [gains(s, network) for s in choirs(library, count, 1.0, 1)]
    wide = [f for f in every if f["width"] > WIDE]
    narrow = [f for f in every if f["width"] <= WIDE]
    rows = [
        row("choirs of unseen voices", every, keys),
        *(row(f"… of these with the backing voices {where}", some, keys) for where, some in (("wide", wide), ("narrow", narrow)) if some),
        row("unseen voices that sing or say different things", [gains(s, network) for s in choirs(library, count, 0.0, 2)], keys),
        row("tracks of a held-out song by a singer of the training", [gains(s, network) for s in real_choirs()], keys),
    ]
    print("\n" + table(rows, ("lead, dB", "items", "no-op SI-SDR", "gain of center extraction", "gain of SI-SDR, mean (median)", "SDR",
                              "gain of backing", "gain of the oracle mask")), flush=True)

    rows = [row("choirs of unseen voices", in_songs(library, network, max(2, count // 2)), ("no-op", "gain", "sdr"))]
    print("\n" + table(rows, ("lead in songs, dB", "items", "SI-SDR of vocals by the first stage", "gain of SI-SDR, mean (median)",
                              "SDR")), flush=True)

    rows, mixer = [], LeadMixer(library, SECONDS * config.RATE, 3)
    alone = [np.stack([mixer.solo(SECONDS * config.RATE)] * 2) for _ in range(10)]
    behind = [s[1] for s in choirs(library, 10, 1.0, 4)]
    rows.append(("unseen voices alone, 10, median", f"{np.median([sdr(x, separated(network, x)[0]) for x in alone]):.1f}"))
    for name in SOLOS:
        for path in sorted((config.EVAL / "solo").glob(f"{name}*")):
            x = audio.stereo(audio.read(path, 0, 20))
            rows.append((path.stem, f"{sdr(x, separated(network, x)[0]):.1f}"))
    print("\n" + table(rows, ("no backing voices: SDR of the lead", "dB")), flush=True)
    leak = np.median([decibels(separated(network, x)[0], x) for x in behind])
    print("\n" + table([("median of 10", f"{leak:.1f}")], ("backing voices alone: energy in lead", "dB")), flush=True)


def in_room(voice: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Early and late sound [2, 2, n] of a mono voice."""
    y = rooms.convolve(np.pad(voice, (config.RATE, 0)), np.concatenate(rooms.divided(response)), len(voice))
    return np.stack([y[:2], y[2:]])


def dry(network: separate.Network, count: int) -> None:
    library = held_out(0)
    lanes = [song.sound[0, 0].astype(np.float32) / 32768 for song in library.of("lane")]
    excerpts = [x[config.RATE :][: SECONDS * config.RATE] for x in lanes if len(x) > 4 * config.RATE]
    keys, rows, every = ("no-op", "gain", "sdr", "oracle"), [], []
    rng = np.random.default_rng(11)
    kinds = {"recorded, unseen": rooms.recorded("valid"), "made up": [rooms.made_up(rng) for _ in range(8)]}
    for kind, responses in kinds.items():
        every = [gains(in_room(excerpts[i % len(excerpts)], responses[i % len(responses)]), network) for i in range(count)]
        rows.append(row(f"rooms {kind}", every, keys))
        for low, high in ((-99, 0), (0, 5), (5, 99)):
            some = [f for f in every if low <= f["no-op"] < high]
            if some:
                rows.append(row(f"… of these where no-op is {low} to {high} dB", some, keys))
    print("\n" + table(rows, ("dry, dB", "items", "no-op SI-SDR", "gain of SI-SDR, mean (median)", "SDR", "gain of the oracle mask")),
          flush=True)
    rows = [("unseen voices, median", f"{np.median([sdr(s, separated(network, s)[0]) for s in (np.stack([x, x]) for x in excerpts)]):.1f}")]
    for name in SOLOS:
        for path in sorted((config.EVAL / "solo").glob(f"{name}*")):
            x = audio.stereo(audio.read(path, 0, 20))
            rows.append((path.stem, f"{sdr(x, separated(network, x)[0]):.1f}"))
    print("\n" + table(rows, ("as recorded, no room added: SDR of dry", "dB")), flush=True)


def main(pack: str, threads: int = 1, count: int = 40, network: separate.Network | None = None) -> None:
    torch.set_num_threads(threads)
    (lead if pack == "vocals-lead" else dry)(network or separate.Network(pack, threads), count)
