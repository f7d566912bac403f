"""The laws: one small file each, no data, no fitting. A file that is added here is a law like any other."""

from __future__ import annotations

import importlib
import pkgutil

from shapeplan.laws.additive import Additive
from shapeplan.laws.base import FORMS, OUTER, Bounds, Derive, Form, JointForm, Law, Power, Term
from shapeplan.laws.chinchilla import Chinchilla
from shapeplan.laws.compute import Compute
from shapeplan.laws.interaction import Interaction
from shapeplan.laws.kaplan import Kaplan
from shapeplan.laws.outer_power import OuterPower
from shapeplan.laws.product import Product
from shapeplan.laws.separable import Separable
from shapeplan.laws.star import Star

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "FORMS",
    "OUTER",
    "Additive",
    "Bounds",
    "Chinchilla",
    "Compute",
    "Derive",
    "Form",
    "Interaction",
    "JointForm",
    "Kaplan",
    "Law",
    "OuterPower",
    "Power",
    "Product",
    "Separable",
    "Star",
    "Term",
]
