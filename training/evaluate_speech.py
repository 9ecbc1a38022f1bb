"""By how much `speech` helps demuser: speech over music by the opinions that there are, by ours, and by their means."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch

from . import audio, config, evaluate, separate
from .evaluate_instruments import si_sdr
from .mix import Library
from .mix_speech import SpeechMixer
from .tasks import TASKS

SECONDS = 10
OPINIONS = {"vocals": ("split", "--stem", "vocals"), "voice": ("voice-clean", "--level", "aggressive")}
COMBINED = {"vocals": (0,), "voice": (1,), "speech": (2,), "demuser": (0, 1), "with speech": (0, 1, 2)}

Mixture = tuple[np.ndarray, np.ndarray]  # speech and music, equally loud


def equally_loud(speech: np.ndarray, music: np.ndarray) -> Mixture:
    n = min(speech.shape[1], music.shape[1])
    speech, music = speech[:, :n], music[:, :n]
    return speech, music * np.float32(np.sqrt((speech**2).sum() / ((music**2).sum() + 1e-9)))


def recordings() -> dict[str, Mixture]:
    """Each speaker of the evaluation over each instrumental."""
    music = {Path(name).stem: audio.stereo(audio.read(config.EVAL / name, 2, 12)) for name in evaluate.INSTRUMENTALS}
    sodium = config.EVAL / "music" / "everythingisfree_sodium"
    music["sodium"] = audio.stereo(audio.read(sodium / "mixture.flac", 2, 12)) - audio.stereo(audio.read(sodium / "vocals.flac", 2, 12))
    return {
        f"{folder.name}-{name}": equally_loud(audio.stereo(audio.read(folder / "clean.flac")), x)
        for folder in sorted((config.EVAL / "speech").iterdir()) for name, x in music.items()
    }


def held_out(count: int) -> dict[str, Mixture]:
    """Held-out speakers over held-out songs, some of them sung."""
    mixer, found = SpeechMixer(Library("valid"), SECONDS * config.RATE, 5), {}
    while len(found) < count:
        speech, music = mixer.speaker(), mixer.music()
        if min((speech**2).mean(), (music**2).mean()) > 1e-6:
            found[f"held-{len(found)}"] = equally_loud(speech, music)
    return found


def by_partita(mixtures: dict[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
    """Both opinions of demuser on each mixture, by the program."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in mixtures}
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, x in mixtures.items():
            files.append(f"{folder}/{name}.wav")
            soundfile.write(files[-1], (x * (0.3 / np.abs(x).max())).T, config.RATE, subtype="FLOAT")
        for label, command in OPINIONS.items():
            subprocess.run([config.REPO / "bin" / "partita", *command, *files, "--out", folder, "--format", "wav", "--quiet"], check=True)
            for name, x in mixtures.items():
                found[name].append(audio.read(Path(f"{folder}/{name}_{label}.wav")) * np.float32(np.abs(x).max() / 0.3))
    return found


def network() -> separate.Network:
    """That of the last checkpoint."""
    held = torch.load(config.RUNS / "speech" / "checkpoint.pt", map_location="cpu", weights_only=True)
    net = TASKS["speech"].network()
    net.load_state_dict(held["average"])
    return separate.Network(net.eval())


def main(threads: int = 1, count: int = 12) -> None:
    torch.set_num_threads(threads)
    ours, rows = network(), []
    for label, mixtures in (("speakers and instrumentals of the evaluation", recordings()), ("held-out speakers and songs", held_out(count))):
        whole = {name: speech + music for name, (speech, music) in mixtures.items()}
        opinions, values = by_partita(whole), []
        for name, (speech, _) in mixtures.items():
            found = [*opinions[name], separate.apply(ours.masks(audio.stft(whole[name]))[:1], whole[name])[0]]
            n = min(x.shape[1] for x in found)
            values.append([si_sdr(speech[:, :n], np.mean([found[i][:, :n] for i in chosen], 0)) for chosen in COMBINED.values()])
        rows.append((label, str(len(values)), *(f"{v:.2f}" for v in np.mean(values, 0))))
    print("\n" + evaluate.table(rows, ("SI-SDR of speech, dB", "mixtures", *COMBINED)), flush=True)
