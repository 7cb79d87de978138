"""What other packages build anew each time that they are asked is built once for all tests."""

from functools import cache
from importlib.util import module_from_spec, spec_from_file_location

import pytest
from tyro._parsers import ParserSpecification

from plausible.cli import flags


def build_parsers_once(patch):
    """What tyro makes of a dataclass takes nine tenths of the time in which it reads a line, and is only looked at."""
    build, parsers = ParserSpecification.from_callable_or_type, {}
    build_flags, kinds = flags.train_flags, {}

    def parser(kind, **how):
        if not isinstance(kind, type) or how["intern_prefix"] or how["parent_classes"]:
            return build(kind, **how)
        if kind not in parsers:
            parsers[kind] = build(kind, **how)
        return parsers[kind]

    def train_flags(kind, config=None):
        asked = kind, repr(config), tuple(kind.presets)
        if asked not in kinds:
            kinds[asked] = build_flags(kind, config)
        return kinds[asked]

    patch.setattr(ParserSpecification, "from_callable_or_type", staticmethod(parser))
    patch.setattr(flags, "train_flags", train_flags)


def read_revisions_once(patch):
    """What alembic knows of the tables of optuna is read once, and not three times for each study: a quarter of a sweep."""
    pyfiles = pytest.importorskip("alembic.util.pyfiles")
    patch.setattr(pyfiles, "load_module_py", _revision)


@cache
def _revision(module_id, path):
    spec = spec_from_file_location(module_id, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
