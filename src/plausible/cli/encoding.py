"""Output where not every character can be written: what cannot becomes a sign that can, and nothing stops."""

import codecs
from typing import TextIO

_HANDLER = "plausible"
_BRAILLE, _ABOVE, _BELOW = (
    0x2800,
    0x1B,
    0xE4,
)  # the blank sign, and which bits are dots of its upper and lower half
_DOTS = {
    chr(_BRAILLE + bits): " '.:"[bool(bits & _ABOVE) + 2 * bool(bits & _BELOW)]
    for bits in range(256)
}
_PLAIN = str.maketrans(
    {
        "≥": ">=", "≤": "<=", "≈": "~", "±": "+-", "×": "x", "→": "->", "…": "...", "–": "-", "—": "-", "−": "-",
        "‘": "'", "’": "'", "“": '"', "”": '"', "•": "*", "·": ".", "²": "^2", "∞": "inf", "Δ": "d", "μ": "u", "Σ": "S",
        **dict.fromkeys("─━═╌╍╴╶╸╺", "-"), **dict.fromkeys("│┃║╎╏", "|"), **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰╋┏┓┗┛┠┨┡┩╇", "+"),
        **dict.fromkeys("█▉▊▋▌▍▎▏", "#"), **_DOTS,
    }
)  # fmt: skip


def degrade(*streams: TextIO) -> None:
    """From now on let these streams write "~" for "≈" where they cannot write that, and "?" for what has no like."""
    codecs.register_error(_HANDLER, _plainly)
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)  # what stands for a stream may have none
        if reconfigure is not None:
            reconfigure(errors=_HANDLER)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """What is written in the place of characters that the encoding has not, and where it goes on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    plain = error.object[error.start : error.end].translate(_PLAIN)
    return plain.encode("ascii", "replace").decode("ascii"), error.end
