"""Dense decoder language models by name."""

from __future__ import annotations

from shapeplan.architectures.catalogue.gpts import GPTS
from shapeplan.architectures.catalogue.llamas import LLAMAS
from shapeplan.architectures.catalogue.qwens import QWENS
from shapeplan.architectures.catalogue.record import NamedModel

DECODERS: tuple[NamedModel, ...] = (*GPTS, *LLAMAS, *QWENS)
