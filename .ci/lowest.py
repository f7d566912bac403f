"""Print the lowest versions that pyproject.toml admits of what shapeplan needs, as constraints for pip."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
for need in (*project["dependencies"], *project["optional-dependencies"]["plots"]):
    name, version = re.fullmatch(r"([\w-]+)>=([\d.]+)(?:,<[\d.]+)?", need).groups()
    print(f"{name}=={version}")
