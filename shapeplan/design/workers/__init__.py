"""What runs the tasks of an executor: a module a kind of workers."""
