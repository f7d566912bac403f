"""Rendering: results as tables for people, and the console that alone owns the streams.

Import the module of what is to be shown; the console itself is light, so that ``--help`` loads no table.
"""
