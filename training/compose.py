"""An algorithmic composer: random styles, chords, grooves, bass lines, comping and melodies.

Nothing here has to be good music. It has to have the statistics that separate one stem from another:
instruments that play together in one key and tempo, attack together, rest, and share registers.
"""

from dataclasses import dataclass, field

import numpy as np

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
PROGRESSIONS = (
    (0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 4), (1, 4, 0, 0), (0, 6, 3, 0),
    (0, 3, 0, 4), (0, 2, 3, 4), (0, 5, 1, 4), (0, 0, 3, 3), (0, 6, 5, 4), (3, 4, 2, 5),
)
PROGRAMS = {
    "bass": (32, 33, 33, 33, 34, 35, 36, 38, 38, 39, 39, 87),
    "piano": (0, 0, 0, 1, 2, 3, 4, 4, 5, 5, 6, 7),
    "electric_guitar": (26, 27, 27, 28, 29, 29, 30, 30),
    "acoustic_guitar": (24, 25),
    "synthesizer": (16, 17, 18, 50, 51, 62, 63, 80, 81, 82, 84, 86, 88, 89, 90, 91, 92, 93, 94, 95),
    "strings": (40, 41, 42, 44, 45, 46, 48, 48, 49, 110),
    "wind": (56, 57, 58, 60, 61, 61, 64, 65, 66, 67, 68, 70, 71, 73, 73, 74, 75, 22),
    "rest": (8, 9, 10, 11, 11, 12, 12, 13, 14, 15, 21, 21, 23, 52, 52, 53, 54, 104, 105, 106, 107, 108, 114),  # mallets, accordions, choirs, …
}
# Sixteen steps to a bar: kick, snare, hats; x is a full stroke, o a soft one.
GROOVES = {
    "rock": ("x.......x.x.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "rock2": ("x..x....x..x..x.", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "four": ("x...x...x...x...", "....x.......x...", "..x...x...x...x."),
    "house": ("x...x...x...x...", "....x.......x..o", "o.x.o.x.o.x.o.x."),
    "funk": ("x..x..x...x..x..", "....x..o.o..x..o", "xoxoxoxoxoxoxoxo"),
    "hiphop": ("x......x..x.....", "....x.......x...", "x.x.x.xxx.x.x.x."),
    "trap": ("x.....x...x.....", "........x.......", "x.x.xxx.x.xxx.xx"),
    "ballad": ("x.........x.....", "........x.......", "x...x...x...x..."),
    "break": ("x.x.......xx....", "....x..o.o..x...", "x.x.x.x.x.x.x.x."),
    "bossa": ("x..xx..xx..xx..x", "x..x..x...x..x..", "xoxoxoxoxoxoxoxo"),
    "swing": ("x.......x.......", "...o......o...o.", "x..x.xx..x.xx..x"),
    "metal": ("xxxxxxxxxxxxxxxx", "....x.......x...", "x...x...x...x..."),
    "toms": ("x...x..xx...x...", "..............xx", "x.......x......."),
    "half": ("x..x......x.....", "........x.......", "x.x.x.x.x.x.x.x."),
}
RHYTHMS = (
    "x...x...x...x...", "x.......x.......", "x..x..x.x..x..x.", "..x...x...x...x.", "x.xx.xx.x.xx.xx.",
    "x..x....x..x....", "x.x.x.x.x.x.x.x.", "x...............", "x.....x.....x...", "....x.......x...",
)


@dataclass
class Note:
    """One note: start and length in seconds, MIDI pitch, velocity 1 to 127."""

    start: float
    length: float
    pitch: int
    velocity: int


@dataclass
class Part:
    """What one instrument plays; `program` is a General MIDI program (for drums a kit)."""

    kind: str
    program: int
    notes: list[Note] = field(default_factory=list)
    role: str = ""


@dataclass
class Composition:
    """Several parts in one key and tempo."""

    seconds: float
    tempo: float
    parts: list[Part]


class Composer:
    """Writes one song from one random generator."""

    def __init__(self, rng: np.random.Generator, seconds: float):
        self.rng = rng
        self.tempo = float(rng.uniform(70, 160))
        self.step = 60 / self.tempo / 4
        self.bars = max(2, int(seconds / (16 * self.step)))
        self.seconds = self.bars * 16 * self.step
        self.root = int(rng.integers(12))
        self.scale = SCALES[str(rng.choice(list(SCALES), p=[0.4, 0.35, 0.15, 0.1]))]
        sections = [PROGRESSIONS[rng.integers(len(PROGRESSIONS))] for _ in range(2)]
        self.chords = [sections[(bar // 4 // 2) % 2][bar % 4] for bar in range(self.bars)]
        self.swing = float(rng.choice([0, 0, 0, rng.uniform(0.1, 0.33)]))
        self.sevenths = rng.random() < 0.35

    def compose(self, kinds: list[str]) -> Composition:
        """A song with one part for each of `kinds`."""
        parts = []
        melody_taken = False
        for kind in kinds:
            if kind == "drum":
                parts.append(self.drums())
            elif kind == "bass":
                parts.append(self.bass())
            elif kind == "vocals":
                parts.append(self.melody("vocals", low=int(self.rng.integers(43, 62)), span=16))
            else:
                role = self.role_for(kind, melody_taken)
                melody_taken |= role == "melody"
                parts.append(self.pitched(kind, role))
        return Composition(self.seconds, self.tempo, parts)

    def role_for(self, kind: str, melody_taken: bool) -> str:
        weights = {
            "piano": (3, 3, 1, 1, 1), "electric_guitar": (3, 1, 1, 3, 2), "acoustic_guitar": (4, 4, 0, 1, 1),
            "synthesizer": (1, 3, 3, 2, 2), "strings": (1, 1, 4, 1, 3), "wind": (1, 0, 2, 1, 5),
            "rest": (2, 2, 2, 2, 3),
        }[kind]
        p = np.array(weights, float)
        if melody_taken:
            p[4] *= 0.4
        return str(self.rng.choice(["comp", "arp", "pad", "riff", "melody"], p=p / p.sum()))

    def time(self, bar: int, step: float) -> float:
        """Seconds at a step of a bar, with swing and a little human jitter."""
        late = self.swing * self.step * 2 if int(step) % 4 == 2 else 0
        return max(0.0, (bar * 16 + step) * self.step + late + float(self.rng.normal(0, 0.004)))

    def degree(self, degree: int, octave: int) -> int:
        """MIDI pitch of a scale degree (may exceed one octave)."""
        return 12 * (octave + 1) + self.root + self.scale[degree % 7] + 12 * (degree // 7)

    def chord(self, bar: int, octave: int) -> list[int]:
        base = self.chords[bar]
        steps = (0, 2, 4, 6) if self.sevenths else (0, 2, 4)
        return [self.degree(base + s, octave) for s in steps]

    def plays(self, probability: float = 0.85) -> list[bool]:
        """For each bar whether the part plays; decided in groups of four bars."""
        groups = [self.rng.random() < probability for _ in range(self.bars // 4 + 1)]
        groups[int(self.rng.integers(len(groups)))] = True
        return [groups[bar // 4] for bar in range(self.bars)]

    def velocity(self, base: float = 90, spread: float = 10) -> int:
        return int(np.clip(self.rng.normal(base, spread), 20, 127))

    def drums(self) -> Part:
        rng = self.rng
        grooves = [GROOVES[str(rng.choice(list(GROOVES)))] for _ in range(2)]
        kick, snare = int(rng.choice([35, 36, 36])), int(rng.choice([38, 38, 40, 37, 39]))
        hat = int(rng.choice([42, 42, 42, 51, 44, 70, 54, 69]))
        part = Part("drum", int(rng.choice([0, 0, 0, 8, 16, 24, 25, 25, 32, 40])), role="groove")
        plays, dynamics = self.plays(0.9), float(rng.uniform(75, 110))
        for bar in range(self.bars):
            if not plays[bar]:
                continue
            if bar % 8 == 0 and rng.random() < 0.6:
                part.notes.append(Note(self.time(bar, 0), 1.5, int(rng.choice([49, 57, 55])), self.velocity(dynamics)))
            fill = bar % 4 == 3 and rng.random() < 0.5
            for pitch, line in zip((kick, snare, hat), grooves[(bar // 8) % 2], strict=True):
                for step, mark in enumerate(line):
                    if fill and step >= 8 and pitch != kick:
                        continue
                    if mark == "." and rng.random() > 0.015:
                        continue
                    level = dynamics * (0.5 if mark == "o" else 1) * (0.85 if step % 4 else 1)
                    note = 46 if pitch == 42 and step % 8 == 6 and rng.random() < 0.25 else pitch
                    part.notes.append(Note(self.time(bar, step), 0.2, note, self.velocity(level, 8)))
            if fill:
                toms = sorted(rng.choice([41, 43, 45, 47, 48, 50, 38], size=3), reverse=True)
                for step in range(8, 16):
                    if rng.random() < 0.75:
                        tom = int(toms[min(2, (step - 8) // 3)])
                        part.notes.append(Note(self.time(bar, step), 0.3, tom, self.velocity(dynamics)))
        if rng.random() < 0.25:  # a shaker, tambourine, conga or cowbell on top
            extra, rhythm = int(rng.choice([54, 56, 60, 62, 64, 70, 75, 82])), RHYTHMS[rng.integers(len(RHYTHMS))]
            for bar in range(self.bars):
                part.notes += [Note(self.time(bar, s), 0.2, extra, self.velocity(dynamics * 0.7)) for s in range(16) if rhythm[s] == "x"]
        return part

    def bass(self) -> Part:
        rng = self.rng
        part = Part("bass", int(rng.choice(PROGRAMS["bass"])), role="bass")
        style = str(rng.choice(["root8", "fifth", "walk", "octave", "sync", "long", "groove"]))
        rhythm, octave = RHYTHMS[rng.integers(len(RHYTHMS))], int(rng.choice([1, 1, 2]))
        gate, plays = float(rng.uniform(0.6, 1.0)), self.plays(0.85)
        for bar in range(self.bars):
            if not plays[bar]:
                continue
            base = self.chords[bar]
            lines = {
                "root8": [(s, 2, base) for s in range(0, 16, 2)],
                "fifth": [(0, 6, base), (6, 2, base), (8, 6, base + 4), (14, 2, base)],
                "walk": [(4 * i, 4, base + d) for i, d in enumerate(rng.permutation([0, 2, 4, 5]))],
                "octave": [(s, 2, base + (7 if s % 4 else 0)) for s in range(0, 16, 2)],
                "sync": [(0, 3, base), (3, 3, base), (6, 4, base + 4), (10, 6, base)],
                "long": [(0, 16, base)],
                "groove": [(s, 2, base + int(rng.choice([0, 0, 0, 4, 7]))) for s in range(16) if rhythm[s] == "x"],
            }[style]
            for step, length, degree in lines:
                if rng.random() < 0.94:
                    pitch = self.degree(degree, octave)
                    pitch = pitch - 12 if pitch > 52 else pitch + 12 if pitch < 26 else pitch
                    part.notes.append(Note(self.time(bar, step), length * self.step * gate, pitch, self.velocity(95)))
        return part

    def pitched(self, kind: str, role: str) -> Part:
        rng = self.rng
        if role == "melody":
            low = {"strings": 48, "wind": 50, "electric_guitar": 52}.get(kind, 55) + int(rng.integers(-6, 12))
            return self.melody(kind, low=low, span=int(rng.integers(10, 20)))
        part = Part(kind, int(rng.choice(PROGRAMS[kind])), role=role)
        octave = int(rng.choice([3, 3, 4, 4, 5])) if kind != "electric_guitar" else int(rng.choice([2, 3, 3]))
        rhythm, plays = RHYTHMS[rng.integers(len(RHYTHMS))], self.plays(0.75)
        power = kind == "electric_guitar" and part.program in (29, 30)
        riff = [int(d) for d in rng.choice([0, 0, 2, 4, 5, 7, 1], size=8)]
        order = [int(i) for i in rng.integers(0, 4, size=16)]
        gate, strum = float(rng.uniform(0.3, 1.0)), 0.012 if "guitar" in kind else 0.003
        for bar in range(self.bars):
            if not plays[bar]:
                continue
            chord = self.chord(bar, octave)
            if power:
                chord = [chord[0], chord[0] + 7, chord[0] + 12]
            elif rng.random() < 0.5:
                chord = chord + [chord[0] + 12]
            if role == "pad":
                part.notes += [Note(self.time(bar, 0), 16 * self.step * 0.98, p, self.velocity(75)) for p in chord]
            elif role == "comp":
                for step in (s for s in range(16) if rhythm[s] == "x"):
                    following = rhythm.find("x", step + 1)
                    length = ((following if following > 0 else 16) - step) * self.step * gate
                    start = self.time(bar, step)
                    part.notes += [Note(start + i * strum, length, p, self.velocity(85)) for i, p in enumerate(chord)]
            elif role == "arp":
                for i, step in enumerate(range(0, 16, 2 if self.tempo > 100 else 1)):
                    pitch = chord[order[i] % len(chord)]
                    part.notes.append(Note(self.time(bar, step), 3 * self.step * max(gate, 0.5), pitch, self.velocity(85)))
            else:  # riff
                hits = [s for s in range(16) if rhythm[s] == "x"]
                for i, step in enumerate(hits):
                    pitch = self.degree(self.chords[bar] + riff[i % 8], octave)
                    part.notes.append(Note(self.time(bar, step), 2 * self.step * gate, pitch, self.velocity(92)))
        return part

    def melody(self, kind: str, low: int, span: int) -> Part:
        """A line that walks the scale, leans on chord notes and breathes between phrases."""
        rng = self.rng
        part = Part(kind, int(rng.choice(PROGRAMS[kind])) if kind != "vocals" else 0, role="melody")
        ladder = [p for p in range(low, low + span) if (p - self.root) % 12 in self.scale]
        place, plays = int(rng.integers(len(ladder))), self.plays(0.85)
        durations, legato = np.array([1, 2, 2, 3, 4, 4, 6, 8, 12]), float(rng.uniform(0.75, 1.02))
        step, phrase = float(rng.integers(0, 5)), 0
        while step < self.bars * 16 - 2:
            bar = int(step // 16)
            if not plays[bar]:
                step = (bar + 1) * 16
                continue
            length = int(rng.choice(durations))
            place = int(np.clip(place + rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 3]), 0, len(ladder) - 1))
            if length >= 4:
                tones = {p % 12 for p in self.chord(bar, 4)}
                place = min(range(len(ladder)), key=lambda i: abs(i - place) + 3 * (ladder[i] % 12 not in tones))
            start = self.time(bar, step - 16 * bar)
            part.notes.append(Note(start, length * self.step * legato, ladder[place], self.velocity(92, 12)))
            step, phrase = step + length, phrase + 1
            if phrase >= rng.integers(5, 12):
                step, phrase = step + int(rng.integers(2, 10)), 0
        return part
