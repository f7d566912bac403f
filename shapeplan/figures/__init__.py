"""Figures: the numbers behind every picture, in plain rows; pictures and documents both show these."""
