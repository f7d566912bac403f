"""Accelerators by name, with their dense BF16 peaks, and how long a fleet of them takes."""

from __future__ import annotations

import difflib
import re

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.frozen import frozen
from shapeplan.quantities import LEAST_MFU

AS_OF = "2026-11"
"""When the table was last checked against its sources."""
SECONDS_PER_DAY = 86400.0
DEFAULT_MFU = 0.4
_FLEET = re.compile(r"\s*(?:(?P<count>[0-9]{1,9})\s*[xX*× ]\s*)?(?P<name>[A-Za-z][\w .-]{0,40}?)\s*")  # noqa: RUF001 - people write the sign of times as well as x

_TURNED = re.compile(r"(?P<name>[A-Za-z][\w -]*?)\s*[xX*]\s*(?P<count>[0-9]{1,9})")


@frozen
class Accelerator:
    """One chip as it is sold.

    Attributes
    ----------
    name : str
        As people write it.
    peak : float
        Dense BF16 FLOP/s of matrices (FP16 for V100), without sparsity.
    memory : float
        Bytes of device memory.
    source : str
        Where the peak is published.
    aliases : tuple of str
        Other names.
    """

    name: str
    peak: float
    memory: float
    source: str
    aliases: tuple[str, ...] = ()


@frozen
class Fleet:
    """Some accelerators of one kind."""

    count: int
    accelerator: Accelerator

    @property
    def as_of(self) -> str:
        """When the table of peaks was last checked."""
        return AS_OF

    def __str__(self) -> str:
        """Return e.g. ``64 x H100``."""
        return f"{self.count} x {self.accelerator.name}"

    def days(self, training_flops: float, mfu: float) -> float:
        """Return the days that so many training FLOPs take at a model FLOPs utilization (MFU)."""
        return training_flops / self.flops(1.0, mfu)

    def flops(self, days: float, mfu: float) -> float:
        """Return the training FLOPs that so many days deliver at a model FLOPs utilization (MFU)."""
        return days * self.count * self.accelerator.peak * mfu * SECONDS_PER_DAY


ACCELERATORS: dict[str, Accelerator] = {
    chip.name: chip
    for chip in (
        Accelerator("V100", 125e12, 32e9, "NVIDIA V100 datasheet (FP16; it has no BF16)"),
        Accelerator("A100", 312e12, 80e9, "NVIDIA A100 datasheet", ("A100-SXM", "A100-80GB")),
        Accelerator("A100-40GB", 312e12, 40e9, "NVIDIA A100 datasheet"),
        Accelerator(
            "H100",
            989.4e12,
            80e9,
            "NVIDIA H100 datasheet, SXM, half of 1979 with sparsity",
            ("H100-SXM", "H100-SXM5", "H100-80GB"),
        ),
        Accelerator("H100-PCIe", 756e12, 80e9, "NVIDIA H100 datasheet, PCIe, half of 1513 with sparsity"),
        Accelerator("H200", 989.4e12, 141e9, "NVIDIA H200 datasheet, SXM, half of 1979 with sparsity", ("H200-SXM",)),
        Accelerator("B200", 2250e12, 180e9, "NVIDIA Blackwell datasheet, HGX, half of 4500 with sparsity"),
        Accelerator("GB200", 2500e12, 186e9, "NVIDIA GB200 NVL72, a GPU, a quarter of 10000 with sparsity a superchip"),
        Accelerator("L40S", 362.05e12, 48e9, "NVIDIA L40S datasheet"),
        Accelerator("RTX4090", 165.2e12, 24e9, "NVIDIA Ada whitepaper, FP32 accumulate", ("4090",)),
        Accelerator("MI300X", 1307.4e12, 192e9, "AMD Instinct MI300X data sheet"),
        Accelerator("MI325X", 1307.4e12, 256e9, "AMD Instinct MI325X data sheet"),
        Accelerator("TPUv3", 123e12, 32 * 2**30, "Google Cloud TPU documentation, v3, a chip", ("v3",)),
        Accelerator("TPUv4", 275e12, 32 * 2**30, "Google Cloud TPU documentation, v4, a chip", ("v4",)),
        Accelerator("TPUv5e", 197e12, 16e9, "Google Cloud TPU documentation, v5e, a chip", ("v5e",)),
        Accelerator("TPUv5p", 459e12, 95e9, "Google Cloud TPU documentation, v5p, a chip", ("v5p",)),
        Accelerator("Trillium", 918e12, 32e9, "Google Cloud TPU documentation, v6e, a chip", ("v6e", "TPUv6e")),
        Accelerator("TPU7x", 2307e12, 192 * 2**30, "Google Cloud TPU documentation, TPU7x, a chip", ("Ironwood",)),
        Accelerator("Trainium2", 667e12, 96 * 2**30, "AWS Neuron documentation, Trainium2 architecture", ("Trn2",)),
    )
}
"""Chips by name. Peaks are those of the vendors' documents; where these print sparse figures, the source says so."""


def read_fleet(gpus: str | None, mfu: float | None) -> tuple[Fleet | None, float | None]:
    """Return the fleet and the share of its peak that is reached; None both where there is none.

    Raises
    ------
    ArgumentError
        If either makes no sense, or a share is given of no fleet.
    """
    if gpus is None and mfu is not None:
        message = "a utilization says nothing without accelerators"
        raise ArgumentError(ErrorDetail("no-gpus", message, "add `gpus=64xH100`"))
    return (None, None) if gpus is None else (parse_fleet(gpus), check_mfu(mfu))


def parse_fleet(text: str) -> Fleet:
    """Read ``64xH100``; without a count, one.

    Raises
    ------
    ArgumentError
        If it is no such thing, or the accelerator is not in the table.
    """
    match = _FLEET.fullmatch(str(text))
    count = int(match["count"] or 1) if match else 0
    if match is None or count < 1:
        message = f"{str(text)[:60]!r} is no number of accelerators"
        raise ArgumentError(ErrorDetail("bad-gpus", message, "write e.g. 64xH100", value=str(text)[:60]))
    return Fleet(count, _find(match["name"]))


def check_mfu(mfu: float | None) -> float:
    """Return the utilization, the default where none is said; `ArgumentError` unless it is a share."""
    if mfu is None:
        return DEFAULT_MFU
    if not LEAST_MFU <= mfu <= 1:
        hint = "write e.g. 0.4 or 40%; 0.3 to 0.5 is usual"
        message = f"a utilization (MFU) of {mfu:g} is not above {LEAST_MFU:g} and at most 1"
        raise ArgumentError(ErrorDetail("bad-mfu", message, hint, value=f"{mfu:g}"))
    return mfu


def _find(name: str) -> Accelerator:
    known = {_key(word): chip for chip in ACCELERATORS.values() for word in (chip.name, *chip.aliases)}
    chip = known.get(_key(name)) or known.get(_key(name).removeprefix("nvidia").removeprefix("google"))
    if chip is None:
        close = difflib.get_close_matches(_key(name), known, n=2)
        near = " or ".join(dict.fromkeys(known[key].name for key in close))
        hint = (f"did you mean {near}? " if near else "") + f"the table has {', '.join(ACCELERATORS)}"
        if turned := _TURNED.fullmatch(name):
            hint = f"the number comes first: {turned['count']}x{turned['name']}"
        message = f"there is no accelerator {name!r} in the table"
        raise ArgumentError(ErrorDetail("unknown-gpu", message, hint, value=name))
    return chip


def _key(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
