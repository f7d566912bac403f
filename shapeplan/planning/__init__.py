"""Planning: from a fit and budgets to shapes; one file a step."""
