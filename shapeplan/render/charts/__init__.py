"""Charts: one declarative picture a figure, for every format. Nothing here is loaded but by `plot` and `report`."""
