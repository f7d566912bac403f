"""The choice of a law: which a log can identify, and which extrapolates best."""
