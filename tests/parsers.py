"""Parsers of commands that are built once for each command and model, and not for each line that is typed."""

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
