"""The budgets of an isoFLOP sweep, in a law document."""

from __future__ import annotations

from shapeplan.documents.base import Part
from shapeplan.documents.records import EstimateRecord
from shapeplan.fitting.isoflop import IsoFlops, Valley


class IsoFlopRecord(Part):
    """The budgets, and the growth of the best parameters by parabolas; null where too few budgets have a minimum."""

    budgets: tuple[Valley, ...]
    growth: EstimateRecord | None

    @classmethod
    def of(cls, isoflops: IsoFlops | None) -> IsoFlopRecord | None:
        """Return the record of an isoFLOP sweep; None of any other."""
        if isoflops is None:
            return None
        return cls(budgets=isoflops.valleys, growth=EstimateRecord.of(isoflops.growth) if isoflops.growth else None)

    def isoflops(self) -> IsoFlops:
        """Return what the record describes."""
        return IsoFlops(self.budgets, self.growth.estimate() if self.growth else None)
