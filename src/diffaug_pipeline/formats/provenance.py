"""Where an image comes from: as columns of a table, and inside the file, for people, search engines and web sites.

A synthetic PNG file carries, in chunks before its pixels, which stay as they are bit for bit:

| chunk | content |
|---|---|
| `Software` | this program |
| `diffaug_provenance` | `provenance_records` of the image, as JSON |
| `XML:com.adobe.xmp` | XMP with the IPTC's `DigitalSourceType` and, of its standard 2025.1, model, version and prompt |
"""

import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

import pandas as pd
from PIL.PngImagePlugin import PngInfo

from diffaug_pipeline import __version__
from diffaug_pipeline.imaging.image_set import ImageSet

PROVENANCE_KEY = "diffaug_provenance"
XMP_KEY = "XML:com.adobe.xmp"
SOFTWARE = f"diffaug_pipeline {__version__}"
COLUMNS = {
    "image_id": "string",
    "split": "string",
    "origin": "string",
    "digital_source_type": "string",
    "source_image_id": "string",
    "strategy": "string",
    "mode": "string",
    "prompt": "string",
    "negative_prompt": "string",
    "seed": "Int64",
    "strength": "Float64",
    "guidance_scale": "Float64",
    "num_inference_steps": "Int64",
    "scheduler": "string",
    "eta": "Float64",
    "timestep_spacing": "string",
    "model": "string",
    "model_revision": "string",
    "adapters": "string",
    "labeller": "string",
    "labeller_revision": "string",
    "recipe": "string",
    "sampling_weight": "Float64",
}
"""What is told of every image, and the pandas type; null where it does not apply."""
DIGITAL_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATED, COMPOSITE = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
WITH_REAL_PIXELS = ("background_inpainting", "composition", "object_inpainting", "copy_paste")
"""Label strategies whose scenes show parts of real images as they were."""
HEADER_BYTES = 33
"""Signature and first chunk of a PNG file."""
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 {attributes}/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def tabulate_provenance(images: ImageSet) -> pd.DataFrame:
    """One row per image, in index order, with the columns of `COLUMNS`."""
    known = images.index.reindex(columns=list(COLUMNS)).assign(digital_source_type=_digital_source_types(images.index))
    return known.astype(COLUMNS)


def provenance_records(images: ImageSet) -> Iterator[dict[str, Any]]:
    """The same as dictionaries of plain values, without what does not apply."""
    table = tabulate_provenance(images)
    for values in zip(*(table[column].tolist() for column in table), strict=True):
        yield {column: value for column, value in zip(table, values, strict=True) if not pd.isna(value)}


def mark(png: bytes, provenance: dict[str, Any]) -> bytes:
    """The PNG file `png` of a synthetic image with its `provenance` inside."""
    chunks = PngInfo()
    chunks.add_text("Software", SOFTWARE)
    chunks.add_itxt(PROVENANCE_KEY, json.dumps(provenance, ensure_ascii=False))
    chunks.add_itxt(XMP_KEY, _xmp(provenance))
    added = b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content, *_ in chunks.chunks
    )
    return png[:HEADER_BYTES] + added + png[HEADER_BYTES:]


def _digital_source_types(index: pd.DataFrame) -> pd.Series:
    """The IPTC's term for each synthetic image; null for real ones, of which nobody knows."""
    strategies = index.get("strategy", pd.Series(None, index.index, dtype=object))
    terms = strategies.isin(WITH_REAL_PIXELS).map({True: COMPOSITE, False: GENERATED})
    return (DIGITAL_SOURCE_TYPES + terms).where(index["origin"] == "synthetic")


def _xmp(provenance: dict[str, Any]) -> str:
    prompts = [provenance.get("prompt"), provenance.get("negative_prompt") and f"not: {provenance['negative_prompt']}"]
    said = {
        "Iptc4xmpExt:DigitalSourceType": provenance["digital_source_type"],
        "Iptc4xmpExt:AISystemUsed": provenance.get("model"),
        "Iptc4xmpExt:AISystemVersionUsed": provenance.get("model_revision"),
        "Iptc4xmpExt:AIPromptInformation": "; ".join(filter(None, prompts)),
        "xmp:CreatorTool": SOFTWARE,
    }
    return XMP.format(attributes="\n ".join(f"{name}={quoteattr(value)}" for name, value in said.items() if value))
