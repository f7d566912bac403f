"""Where many like tasks run: `executor` is what others use, and there is a module a kind of workers."""
