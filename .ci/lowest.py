"""Constraints for pip: every dependency of pyproject.toml at the lowest version that it allows.

Arguments, as name==version, stand in the place of what pyproject.toml says of that name.
"""

import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
given = {argument.split("==")[0]: argument for argument in sys.argv[1:]}
for entry in chain(project["dependencies"], *project["optional-dependencies"].values()):
    if match := re.fullmatch(r"([\w-]+)(?:\[[\w,-]+\])?>=([\w.]+)", entry):
        name, version = match.groups()
        print(given.get(name, f"{name}=={version}"))
