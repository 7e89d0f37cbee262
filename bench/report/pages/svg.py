"""Our own SVG files made fit to stand inside a page: ids apart, colours as CSS variables."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Final

from bench.report.figures.palette import SCHEMES

SVG: Final = "http://www.w3.org/2000/svg"
XLINK: Final = "http://www.w3.org/1999/xlink"
ET.register_namespace("", SVG)
ET.register_namespace("xlink", XLINK)


def inline(svg: bytes, name: str, alt: str) -> str:
    """Return the <svg> element for a page; `name` keeps its ids apart from other figures'."""
    root = ET.fromstring(svg)  # noqa: S314 (drawn by us a moment ago)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{SVG}}}metadata":
                parent.remove(child)
    for element in root.iter():
        for key, value in element.attrib.items():
            element.set(key, _attribute(key, value, name))
    for size in ("width", "height"):  # the page decides, by the viewBox
        root.attrib.pop(size, None)
    root.set("role", "img")
    root.set("aria-label", alt)
    return ET.tostring(root, encoding="unicode")


def _attribute(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if key == f"{{{XLINK}}}href":
        return value.replace("#", f"#{name}-", 1)
    if key == "style":
        return _variables(value)
    return value.replace("url(#", f"url(#{name}-")


def _variables(style: str) -> str:
    """Replace each of our colours by its variable, the light value being the fallback."""
    for variable, (light, _) in SCHEMES.items():
        style = re.sub(re.escape(light) + r"\b", f"var(--{variable}, {light})", style)
    return style
