"""What a picture says of itself when a model drew it: an XMP packet, as those who deal in pictures agreed on."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Any

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""https://cv.iptc.org/newscodes/digitalsourcetype: made by an algorithm that was trained on samples."""

PNG_KEY = "XML:com.adobe.xmp"
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:plausible="urn:plausible:mark:1"
 {attributes}/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
_WORDS = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")
_PLACES = (PNG_KEY, "xmp", "comment")
"""Where Pillow puts what PNG, JPEG and WebP, and GIF say."""


@dataclass(frozen=True)
class Mark:
    """Who drew a picture: the same for the same draw, so that files stay the same.

    model    what kind of model.
    weights  the SHA-256 of its weights; "" where several models drew.
    seed     of the draw; None where the picture depends on none.
    """

    model: str
    weights: str = ""
    seed: int | None = None

    @property
    def xmp(self) -> str:
        """The packet."""
        said = {
            "Iptc4xmpExt:DigitalSourceType": SOURCE_TYPE,
            "xmp:CreatorTool": f"plausible {_version()}",
            "plausible:Model": self.model,
            "plausible:WeightsSHA256": self.weights,
            "plausible:Seed": "" if self.seed is None else str(self.seed),
        }
        lines = [f'{name}="{escape(value)}"' for name, value in said.items() if value]
        return _PACKET.format(attributes="\n ".join(lines))


def is_marked(info: Mapping[Any, Any]) -> bool:
    """Whether what a picture says of itself, by Pillow, says that a trained model drew it or a part of it."""
    for place in _PLACES:
        said = info.get(place, "")
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        if any(f"/{word}" in text for word in _WORDS):
            return True
    return False


def _version() -> str:
    try:
        return version("plausible")
    except PackageNotFoundError:  # run from its source
        return ""
