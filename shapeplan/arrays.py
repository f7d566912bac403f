"""The array types that every floor above speaks."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Index: TypeAlias = NDArray[np.intp]
Bools: TypeAlias = NDArray[np.bool_]
Number: TypeAlias = float | Floats
