"""The laws: one small file each, no data, no fitting."""

from __future__ import annotations

from shapeplan.laws.additive import Additive
from shapeplan.laws.base import Bounds, Form, JointForm, Law, Power, Term
from shapeplan.laws.chinchilla import Chinchilla
from shapeplan.laws.interaction import Interaction
from shapeplan.laws.product import Product
from shapeplan.laws.separable import Separable
from shapeplan.laws.star import Star

FORMS: dict[str, type[Form]] = {
    "star": Star,
    "additive": Additive,
    "product": Product,
    "interaction": Interaction,
    "separable": Separable,
    "chinchilla": Chinchilla,
}
"""Every form by the name users write."""

__all__ = [
    "FORMS",
    "Additive",
    "Bounds",
    "Chinchilla",
    "Form",
    "Interaction",
    "JointForm",
    "Law",
    "Power",
    "Product",
    "Separable",
    "Star",
    "Term",
]
