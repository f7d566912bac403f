"""``python -m shapeplan``."""

from shapeplan.cli.app import main

if __name__ == "__main__":
    main()
