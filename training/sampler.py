"""Real recorded notes (instruments, sung vowels, drum hits) played as instruments."""

import re
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from . import audio, config, effects
from .compose import Part

GERMAN = {"c": 0, "cis": 1, "d": 2, "dis": 3, "e": 4, "f": 5, "fis": 6, "g": 7, "gis": 8, "a": 9, "ais": 10, "b": 10, "h": 11}
ENGLISH = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


def pitch_of(name: str) -> int | None:
    """MIDI pitch that a file name of ../shared/data tells, or none."""
    if found := re.search(r"_m(\d+)$", name) or re.search(r"note-(\d+)$", name):
        return int(found[1])
    if found := re.search(r"[-_](\d{2,3})(?:-|$)", name):
        return int(found[1])
    if found := re.match(r"trumpet-ff-([a-h](?:is)?)(\d)", name):
        return 12 * (int(found[2]) + 1) + GERMAN[found[1]]
    if found := re.search(r"(?:^|_)([A-Ga-g])(#|s|b)?(\d)(?:-\d)?$", name):
        sharp = {"#": 1, "s": 1, "b": -1}.get(found[2], 0)
        return 12 * (int(found[3]) + 1) + ENGLISH[found[1].lower()] + sharp
    return None


def trimmed(x: np.ndarray) -> np.ndarray:
    """From 40 dB below the peak to the end, at full scale."""
    peak = np.abs(x).max() + 1e-9
    loud = np.flatnonzero(np.abs(x).max(0) > peak * 0.01)
    return x[:, max(0, loud[0] - 100) : loud[-1] + 100] / peak if loud.size else x


@lru_cache(24)
def bank(folder: Path, contains: str = "") -> dict[int, list[np.ndarray]]:
    """Notes of a folder by pitch; `contains` picks one singer or vowel."""
    notes: dict[int, list[np.ndarray]] = {}
    for path in sorted(folder.glob("*.opus")):
        pitch = pitch_of(path.stem)
        if pitch is None or "instable" in path.stem or contains not in path.stem.lower():
            continue
        x = trimmed(audio.stereo(audio.read(path)))
        if x.shape[1] > 2000 and effects.rms(x) > 1e-4:
            notes.setdefault(pitch, []).append(x)
    return notes


def banks_for(kind: str, split: str) -> list[tuple[Path, str]]:
    """Folders of notes (and name filters) with which parts of this kind can be played."""
    if kind == "vocals":
        vowels, olpc = config.DATA / "singing/spectmorph_vowels", config.DATA / "singing/olpc_berklee_voices"
        if split == "valid":
            return [(vowels, f"{config.VALID_VOWELS}-a")]
        singers = [(vowels, name) for name in ("claudia-a", "claudia-ih", "claudia-oh", "mirko-a", "mirko-oh")]
        choirs = [(olpc, f) for f in ("femalevoice_", "malevoice_", "femalevoices_", "malevoices_")]
        return singers + choirs + [(config.DATA / "singing/vocobox_martin", "note_")] * 2
    folders = {
        "bass": ("bass/fashionbass_di", "bass/smolken_doublebass_pizz"),
        "piano": ("piano/splendid_steinway", "piano/salamander_yamaha"),
        "electric_guitar": ("electric_guitar/emily_di", "electric_guitar/shiny_archtop_pickup"),
        "acoustic_guitar": ("acoustic_guitar/shiny_archtop_mic",),
        "synthesizer": ("synthesizer/spectmorph_saw",),
        "strings": ("strings/blackheart_cello", "strings/iowa_cello", "strings/iowa_cello", "strings/iowa_viola",
                    "strings/iowa_violin", "strings/iowa_violin", "strings/smolken_doublebass_arco"),
        "wind": tuple(f"wind/{name}" for name in (
            "iowa_alto-flute", "iowa_alto-flute", "iowa_bass-flute", "iowa_alto-saxophone", "iowa_bass-clarinet", "iowa_bassoon",
            "iowa_clarinet", "iowa_french-horn", "iowa_oboe", "iowa_soprano-saxophone", "iowa_tenor-trombone",
            "iowa_trumpet", "weresax_alto", "war_tuba", "bear_baritone_sax")),
    }
    return [(config.DATA / "instruments" / f, "") for f in folders.get(kind, ())]


def play_note(sample: np.ndarray, semitones: float, n: int, rng: np.random.Generator, vibrato: float) -> np.ndarray:
    """One note by varispeed, at most n samples, with vibrato, attack and release."""
    t = np.arange(n) / config.RATE
    cents = vibrato * 30 * np.sin(2 * np.pi * (rng.uniform(4.5, 6.5) * t + rng.random())) * np.minimum(t / 0.4, 1)
    position = np.cumsum(2 ** ((semitones + cents / 100) / 12))
    position += rng.integers(0, 200)
    position = position[position < sample.shape[1] - 1]
    if len(position) < 600:
        return np.zeros((2, 0), np.float32)
    grid = np.arange(sample.shape[1])
    note = np.stack([np.interp(position, grid, channel) for channel in sample]).astype(np.float32)
    attack, release = 220, min(len(position) // 3, 4000)
    note[:, :attack] *= np.linspace(0, 1, attack, dtype=np.float32)
    note[:, -release:] *= np.linspace(1, 0, release, dtype=np.float32)
    return note


def play(part: Part, seconds: float, rng: np.random.Generator, split: str) -> np.ndarray | None:
    """The part played with real notes, float32 [2, n]; none if the kind has no notes."""
    choices = banks_for(part.kind, split)
    if not choices:
        return None
    notes = bank(*choices[rng.integers(len(choices))])
    if not notes:
        return None
    pitches = np.array(sorted(notes))
    middle = np.median([n.pitch for n in part.notes]) if part.notes else 60
    shift = 12 * round((np.median(pitches) - middle) / 12)  # play where the instrument lives
    out = np.zeros((2, int(seconds * config.RATE) + 4 * config.RATE), np.float32)
    sustained = part.kind in ("vocals", "strings", "wind")
    vibrato = float(rng.choice([0, 0.5, 1.0])) if sustained else 0.0
    for note in part.notes:
        near = int(pitches[np.abs(pitches - (note.pitch + shift)).argmin()])
        takes = notes[near]
        difference = (note.pitch + shift - near + 6) % 12 - 6  # no further than a tritone from the recording
        n = int((note.length + (0.08 if sustained else 0.25)) * config.RATE)
        sound = play_note(takes[rng.integers(len(takes))], difference, n, rng, vibrato)
        at = int(note.start * config.RATE)
        sound = sound[:, : out.shape[1] - at]
        out[:, at : at + sound.shape[1]] += sound * (note.velocity / 100) ** 1.5
    return out[:, : int(seconds * config.RATE)]


ROLES = {  # what a stroke is played with: names of files in ../shared/data, names of instruments in Hydrogen's kits
    "kick": (r"(^k_|^k[a-z]?_.*kick|^bd_|kick)", r"kick|bass ?drum"),
    "snare": (r"(^s[ce]_|^sn_|^drum_snare|snare)", r"snare(?!.*roll)"),
    "closed": (r"(^h[ct]_|hihat|^hat|cymbal_closed)", r"(hh|hat).*(closed|pedal|\bcl\b|\bpd\b|low)|(closed|pedal) hh"),
    "open": (r"(^h[ol]_|cymbal_open)", r"(hh|hat).*(open|\bop\b)|open hh"),
    "tom": (r"(^t._|^t_|tom)", r"\btom|tomhi"),
    "crash": (r"(^c[a-z]?_|crash)", r"crash|splash|china"),
    "ride": (r"(^r[a-z]?_|ride)", r"\bride"),
}
STROKES = {35: "kick", 36: "kick", 37: "snare", 38: "snare", 39: "snare", 40: "snare", 46: "open", 49: "crash", 51: "ride", 53: "ride",
           55: "crash", 57: "crash", 59: "ride", **dict.fromkeys((41, 43, 45, 47, 48, 50), "tom")}
# By licence: CC0 (Audiophob), CC BY (rumpf_kit), GPL. Those under CC BY-SA are left out.
FREE_KITS = ("Audiophob", "ColomboAcousticDrumkit", "ElectricEmpireKit", "ForzeeStereo", "HardElectro1", "Millo-Drums_v.1",
             "Millo_MultiLayered2", "Millo_MultiLayered3", "VariBreaks", "rumpf_kit_z01_h2")


def hydrogen_kit(folder: Path) -> dict[str, list[Path]]:
    """Files of a Hydrogen drum kit by role, as the names of its instruments tell."""
    found: dict[str, list[Path]] = {role: [] for role in ROLES}
    tree = ElementTree.parse(folder / "drumkit.xml")
    for element in tree.iter():
        element.tag = element.tag.split("}")[-1]
    for instrument in tree.iter("instrument"):
        name = (instrument.findtext("name") or "").lower()
        paths = [folder / (e.text or "") for e in instrument.iter("filename")]
        for role, (_, pattern) in ROLES.items():
            if re.search(pattern, name):
                found[role] += [p for p in paths if p.is_file()]
    return found


@lru_cache(1)
def drum_hits() -> dict[str, list[list[np.ndarray]]]:
    """Kits of real and electronic hits: role to one list of takes per kit."""
    root = config.DATA / "instruments/drum"
    kits = [hydrogen_kit(config.HIT_KITS / name) for name in FREE_KITS if (config.HIT_KITS / name).exists()]
    for folder in ("gogodze_phu_oh_mic", "gogodze_phu_retro_mic", "sonicpi_oneshots", "webaudio_kits"):
        files = sorted((root / folder).glob("*.opus"))
        kits.append({role: [p for p in files if re.search(pattern, p.stem.lower())] for role, (pattern, _) in ROLES.items()})
    found: dict[str, list[list[np.ndarray]]] = {role: [] for role in ROLES}
    for kit in kits:
        for role, paths in kit.items():
            takes = [trimmed(audio.stereo(audio.read(p)))[:, : 2 * config.RATE] for p in paths[:40]]
            if takes:
                found[role].append(takes)
    for role in ("crash", "ride"):
        found[role] = found[role] or found["open"]
    return found


def play_drums(part: Part, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """A drum part with recorded hits, one take set per role."""
    hits, out = drum_hits(), np.zeros((2, int(seconds * config.RATE) + 3 * config.RATE), np.float32)
    kit = {}
    for role, kits in hits.items():
        takes = kits[rng.integers(len(kits))]
        gathered = [takes[i] for i in rng.choice(len(takes), min(3, len(takes)), replace=False)]
        kit[role] = (gathered, float(rng.uniform(0.5, 1)) * (0.45 if role in ("closed", "open", "crash", "ride") else 1))
    for note in part.notes:
        takes, gain = kit[STROKES.get(note.pitch, "closed")]
        at, sound = int(note.start * config.RATE), takes[rng.integers(len(takes))]
        sound = sound[:, : max(0, out.shape[1] - at)]
        out[:, at : at + sound.shape[1]] += sound * gain * (note.velocity / 100) ** 1.5
    return out[:, : int(seconds * config.RATE)]
