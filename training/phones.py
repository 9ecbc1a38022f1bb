"""Speech whose phones are known, for `content`: made by flite and eSpeak NG, which tell when each phone begins.

Words come from Debian's word lists (wamerican-small, wngerman, wdutch), in random order: what is said does not matter, only
that all phones are there in many surroundings.
"""

import ctypes
import random
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

WORDS = {"en": "american-english-small", "de": "ngerman", "nl": "dutch"}  # below /usr/share/dict
FLITE_VOICES = ("slt", "rms", "awb", "kal16")
ESPEAK_LANGUAGES = {"en-us": "en", "en": "en", "de": "de", "nl": "nl"}
ESPEAK_VARIANTS = (*(f"m{i}" for i in range(1, 9)), *(f"f{i}" for i in range(1, 6)), "Alicia", "Andrea", "Andy", "Annie", "Denis",
                   "Diogo", "ed", "Gene", "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Nguyen", "Steph", "anika",
                   "belinda", "benjamin", "grandma", "kaukovalta", "linda", "max", "pablo", "rob", "sandro", "shelby", "victor")


class Spoken(NamedTuple):
    """Samples, their rate, and what was said when: (end in seconds, phone), in order."""

    samples: np.ndarray
    rate: int
    phones: list[tuple[float, str]]


def sentences(language: str, seed: int, count: int) -> list[str]:
    words = Path("/usr/share/dict", WORDS[language]).read_text(encoding="utf-8").split()
    words = [w for w in words if w.isalpha() and 2 <= len(w) <= 11]
    draw = random.Random(f"{language} {seed}")
    return [" ".join(draw.choices(words, k=draw.randint(6, 10))).lower() + "." for _ in range(count)]


def flite(text: str, voice: str, stretch: float = 1, pitch: float | None = None) -> Spoken:
    """- stretch: of durations. - pitch: mean in hertz."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.3f}", "-psdur", "-t", text, "-o", file.name]
        if pitch:
            command[3:3] = ["--setf", f"int_f0_target_mean={pitch:.1f}"]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        samples, rate = soundfile.read(file.name, dtype="float64")
    phones = [(float(end), name) for name, _, end in (word.rpartition(":") for word in printed.split())]
    return Spoken(samples, rate, phones)


class Event(ctypes.Structure):
    """espeak_EVENT of espeak-ng/speak_lib.h."""

    _fields_ = [("type", ctypes.c_int), ("identifier", ctypes.c_uint), ("text", ctypes.c_int), ("length", ctypes.c_int),
                ("milliseconds", ctypes.c_int), ("sample", ctypes.c_int), ("data", ctypes.c_void_p), ("name", ctypes.c_char * 8)]


class Espeak:
    """libespeak-ng, which tells phones as it speaks (the command does not)."""

    SYNCHRONOUS, PHONEME_EVENTS, UTF8, PHONEME, RATE, PITCH = 2, 1, 1, 7, 1, 3
    Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))

    def __init__(self) -> None:
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.library.espeak_Initialize(self.SYNCHRONOUS, 500, None, self.PHONEME_EVENTS)
        self.callback = self.Callback(self.receive)  # must outlive the calls
        self.library.espeak_SetSynthCallback(self.callback)

    def receive(self, samples, count: int, events) -> int:
        if samples and count:
            self.blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type:
            if events[index].type == self.PHONEME:
                self.starts.append((events[index].milliseconds / 1000, events[index].name.decode("utf-8", "replace")))
            index += 1
        return 0

    def speak(self, text: str, language: str, variant: str, words_per_minute: int, pitch: int) -> Spoken:
        """- pitch: 0…100."""
        self.blocks, self.starts = [], []
        if self.library.espeak_SetVoiceByName(f"{language}+{variant}".encode()):
            raise ValueError(f"eSpeak NG has no voice {language}+{variant}")
        self.library.espeak_SetParameter(self.RATE, words_per_minute, 0)
        self.library.espeak_SetParameter(self.PITCH, pitch, 0)
        said = text.encode()
        self.library.espeak_Synth(said, len(said) + 1, 0, 0, 0, self.UTF8, None, None)
        samples = np.concatenate(self.blocks).astype(np.float64) / 32768
        # What begins now ends what was before.
        names = ["pau", *(name or "pau" for _, name in self.starts)]
        ends = [*(start for start, _ in self.starts), len(samples) / self.rate]
        return Spoken(samples, self.rate, list(zip(ends, names, strict=True)))
