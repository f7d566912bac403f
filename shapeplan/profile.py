"""Measurements of training speed: the frozen record that `read_profile` gives and plans interpolate in."""

from __future__ import annotations

from collections.abc import Mapping

from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats


@frozen
class Profile:
    """What training was measured to do at some shapes.

    Attributes
    ----------
    shapes : mapping of str to ndarray, shape (measurements,)
        The dimensions that were measured.
    mfu : ndarray, shape (measurements,), or None
        Share of the peak.
    examples_per_second : ndarray, shape (measurements,), or None
        Examples that one accelerator trains on in a second; with the FLOPs of an example, a share of the peak too.
    source : str
        The file.
    """

    shapes: Mapping[str, Floats]
    mfu: Floats | None
    examples_per_second: Floats | None
    source: str

    def shares(self, training_flops: Floats, peak: float) -> Floats:
        """Return the share of the peak at every measurement, of which an example takes so many training FLOPs."""
        if self.mfu is not None:
            return self.mfu
        assert self.examples_per_second is not None, "one of both was measured"
        return self.examples_per_second * training_flops / peak
