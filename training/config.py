"""Paths and constants that every other module shares."""

import os
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
WORK = Path(os.environ.get("PARTITA_TRAINING_DIR", REPO / ".train"))
DATA = Path(os.environ.get("PARTITA_DATA_DIR", REPO.parent / "shared" / "data"))
EVAL = Path(os.environ.get("PARTITA_EVAL_DIR", REPO.parent / "shared" / "eval"))
SONGS = WORK / "songs"
RUNS = WORK / "runs"
PACKS = REPO / "Models"

RATE = 44100
SIZE = 4096  # STFT window, samples
HOP = 1024
BINS = 1536  # lowest bins that the network sees: 16.5 kHz
FULL_BINS = SIZE // 2 + 1

STEMS = ("vocals", "drum", "bass", "other")
OTHER_KINDS = ("piano", "electric_guitar", "acoustic_guitar", "synthesizer", "strings", "wind")
KINDS = ("vocals", "drum", "bass", *OTHER_KINDS)  # what a part of a song can be; in ensembles also "rest"
INSTRUMENTS = (*OTHER_KINDS, "rest")  # stems of the second stage, which divides "other"
LEVEL_DBFS = -12.0  # RMS at the networks' input

# General MIDI banks by Debian package: fluid-soundfont-gm, timgm6mb-soundfont, csound-soundfont, opl3-soundfont,
# avldrums.lv2-soundfont.
SF2 = Path("/usr/share/sounds/sf2")
TRAIN_BANKS = {SF2 / "FluidR3_GM.sf2": 0.6, SF2 / "TimGM6mb.sf2": 0.2, SF2 / "sf_GMbank.sf2": 0.2}  # how often
FM_BANK = SF2 / "OPL-3_FM_128M.sf2"  # a synthesizer whatever the program
TRAIN_DRUM_KITS = (SF2 / "Red_Zeppelin_4_LV2.sf2", SF2 / "Black_Pearl_4_LV2.sf2")
HIT_KITS = Path("/usr/share/hydrogen/data/drumkits")  # recorded and electronic hits, of Debian's hydrogen-drumkits
TEST_BANK = Path("/usr/share/sounds/sf3/MuseScore_General_Full.sf3")  # never used for training

# Held out of training; the material on which checkpoints are compared and fusion weights are learned.
VALID_SONG = "everythingisfree_rubidium"
VALID_VOICES = ("oatsu_antagata_dokosa", "misc_16k_24k", "nabucasa_samples")
VALID_VOWELS = "sven"

# Held out of `vocals-lead` and `dry`: voices, besides the song, the singers and the vowels above, and rooms.
HELD_SPEAKERS = ("berta", "denis", "dimitar", "jeff", "pim", "librispeech", "rtvc_p260")
HELD_ROOMS = ("Jack_Lyons", "kitchen", "tim-warehouse", "cardiod-true-stereo-15-8", "seminar_room_clap")


def stem_of(kind: str) -> int:
    """Index in STEMS of the stem to which a part of this kind belongs."""
    return STEMS.index(kind) if kind in STEMS else STEMS.index("other")
