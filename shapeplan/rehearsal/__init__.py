"""Rehearsals: what a sweep would buy, before it is paid for."""
