"""How inputs are tried: each either works or is refused by a sentence, and every one is counted.

`LISTENREAD_FUZZ=20 pytest tests/fuzz` tries twenty times as many.
"""

import os
import random
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from listenread.errors import ListenreadError

FACTOR = float(os.environ.get("LISTENREAD_FUZZ", "1"))
settings.register_profile(
    "listenread",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("listenread")

#: Kind of input -> outcome (`accepted`, `refused`) -> how many.
TALLY: dict[str, Counter] = {}
#: Numbers that headers should not be trusted with.
ODD_NUMBERS = (0, 1, 2, 255, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def times(count: int) -> int:
    """How many inputs are tried, in a run of this size."""
    return max(1, round(count * FACTOR))


def mutated(content: bytes, rng: random.Random, head: int = 256) -> bytes:
    """Damage a file in one to three places; half of the damage is done to its head."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        size = len(data)
        if not size:
            break
        place = rng.randrange(min(head, size)) if rng.random() < 0.6 else rng.randrange(size)
        kind = rng.randrange(8)
        if kind == 0:
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[place] = rng.randrange(256)
        elif kind == 2:
            order, number = rng.choice("<>"), rng.choice(ODD_NUMBERS)
            width, code = rng.choice(((2, "H"), (4, "I"), (8, "Q")))
            number &= (1 << (8 * width)) - 1
            data[place : place + width] = struct.pack(order + code, number)
        elif kind == 3:
            del data[place:]
        elif kind == 4:
            del data[place : place + rng.randrange(1, 64)]
        elif kind == 5:
            data[place:place] = rng.randbytes(rng.randrange(1, 64))
        elif kind == 6:
            piece = bytes(data[place : place + rng.randrange(1, 512)])
            data[place:place] = piece
        else:
            data[place : place + rng.randrange(1, 32)] = bytes(rng.randrange(1, 32))
    return bytes(data)


@dataclass
class Trial:
    """Tries inputs of one kind in `folder`, and checks that nothing appears next to it."""

    kind: str
    folder: Path
    outcomes: Counter = field(default_factory=Counter)

    def __call__(
        self, act: Callable[[], object], names: str | Path = "", why: object = None
    ) -> object:
        """Act on an input.

        Args:
            act: what is done with it.
            names: what a refusal must name.
            why: what to say of an input that failed, e.g. its seed.

        Returns:
            What `act` returned; None for a refusal.
        """
        try:
            result = act()
        except ListenreadError as error:
            assert str(names) in str(error), (why, str(error))
            assert str(error).strip(), why
            self.outcomes["refused"] += 1
            return None
        except (Exception, SystemExit) as error:
            raise AssertionError(f"{self.kind}, {why}: {type(error).__name__}: {error}") from error
        self.outcomes["accepted"] += 1
        return result

    def nothing_outside(self) -> None:
        """Assert that the folder's neighbours are what they were."""
        beside = {path.name for path in self.folder.parent.iterdir()}
        assert beside == {self.folder.name, "canary"}, beside
        assert (self.folder.parent / "canary").read_text() == "alive"


@pytest.fixture
def trial(request, tmp_path) -> Iterator[Trial]:
    """A `Trial` named after the test, in a folder whose only neighbour is a canary."""
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "canary").write_text("alive")
    kind = request.node.originalname.removeprefix("test_").replace("_", " ")
    made = Trial(kind, folder)
    yield made
    made.nothing_outside()
    assert made.outcomes.total() > 0
    TALLY.setdefault(kind, Counter()).update(made.outcomes)


def pytest_terminal_summary(terminalreporter) -> None:
    if not TALLY:
        return
    terminalreporter.section("inputs tried")
    for kind, outcomes in TALLY.items():
        terminalreporter.write_line(
            f"{outcomes.total():9,}  {kind}: {outcomes['accepted']:,} accepted, "
            f"{outcomes['refused']:,} refused with a message"
        )
    total = sum(outcomes.total() for outcomes in TALLY.values())
    terminalreporter.write_line(f"{total:9,}  in all (LISTENREAD_FUZZ={FACTOR:g})")
