"""What there is to train: for each pack its stems, its mixing, and what the engine is told of it."""

from dataclasses import dataclass

from . import config
from .mix import Mixer
from .mix_instruments import InstrumentMixer
from .mix_speech import SpeechMixer
from .mix_voices import DryMixer, LeadMixer
from .model import Core


@dataclass(frozen=True)
class Task:
    """One pack."""

    pack: str
    input: str  # what the network divides: "mixture", a stem of the first stage, or any "voice" by itself
    mixer: type[Mixer]
    weights: tuple[float, ...]  # of the stems in the loss
    serves: tuple[str, ...]  # stems that the server offers
    frames: int  # of an item
    batch: int  # items of a step
    surprise: float = 0.0  # weight of the cross-entropy in the loss
    ratio: float = 0.0  # weight of the logarithm of the error in the loss
    calibrate: bool = False  # whether an export scales the logits to what suits held-out items
    placed: bool = False  # whether the network looks at phase and balance between the channels
    stride: int = 1  # hops between the frames that the network looks at: 1 or 2

    @property
    def stems(self) -> tuple[str, ...]:
        return self.mixer.stems

    @property
    def hop(self) -> int:
        return config.HOP * self.stride

    @property
    def samples(self) -> int:
        return (self.frames - 1) * self.hop + config.SIZE

    def network(self) -> Core:
        return Core(len(self.stems), stride=self.stride, placed=self.placed)

    def hours(self, steps: int) -> float:
        """Hours of audio that so many steps see."""
        return steps * self.batch * self.frames * self.hop / config.RATE / 3600


TASKS = {
    task.pack: task
    for task in (
        # vocals are the hardest and the most asked for
        Task("music-core", "mixture", Mixer, (1.5, 1.0, 1.0, 1.0), ("vocals", "drum", "bass"), 128, 5),
        Task("music-instruments", "other", InstrumentMixer, (1.0,) * 7, config.OTHER_KINDS, 64, 4, surprise=5.0, calibrate=True,
             placed=True, stride=2),
        Task("vocals-lead", "vocals", LeadMixer, (1.0, 1.0), ("lead", "backing"), 48, 4, ratio=4.0, placed=True, stride=2),
        # serves no stem: the engine knows it by what it divides
        Task("dry", "voice", DryMixer, (1.0, 1.0), (), 64, 3, ratio=4.0, calibrate=True, placed=True, stride=2),
        Task("speech", "speech", SpeechMixer, (1.0, 1.0), (), 64, 4, ratio=4.0, calibrate=True, stride=2),
    )
}
