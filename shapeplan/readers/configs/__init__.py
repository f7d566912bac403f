"""Configurations of models as frameworks save them, to the settings of a family."""
