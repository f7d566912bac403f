"""Planning: from a fit and budgets to shapes."""

from __future__ import annotations

from shapeplan.planning.plan import BudgetPlan, Plan
from shapeplan.planning.recommend import recommend

__all__ = ["BudgetPlan", "Plan", "recommend"]
