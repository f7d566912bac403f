"""Explanations: one Markdown page a word in `pages/`, and how they are found."""
