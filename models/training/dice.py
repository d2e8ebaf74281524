"""A seeded source of chance for everything that is decided per sample."""
import random


class Dice(random.Random):
    """``random.Random`` with the one helper the generators use all the time."""

    def between(self, low: float, high: float) -> float:
        """A number drawn evenly from [low, high)."""
        return low + (high - low) * self.random()

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.random() < probability
