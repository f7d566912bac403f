"""Documents: JSON in and out, one file a kind.

Import the module of the document you need: building the models of all of them would double the start of every command.
"""
