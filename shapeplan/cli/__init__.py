"""The command line: a thin reading of the Python API, one file a command."""
