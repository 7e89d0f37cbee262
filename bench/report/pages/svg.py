"""Our own SVG files made fit to stand inside a page: ids apart, colours as CSS variables."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from bench.report.figures.palette import SCHEMES


def inline(svg: bytes, name: str, alt: str) -> Markup:
    """The <svg> element for a page; `name` keeps its ids apart from other figures'.

    Only tags are touched: text within them was escaped when it was drawn, a moment ago.
    """
    _, _, drawing = svg.decode().partition("<svg ")
    drawing = re.sub("<!--.*?-->|<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub("\n +", "\n", re.sub(' id="(?:line2d|text)_[0-9]+"', "", drawing))
    size, _, drawing = drawing.partition(">")
    (box,) = re.findall('viewBox="[^"]*"', size)  # the page decides how large, by the viewBox
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    head = f'<svg {namespaces} {box} role="img" aria-label="{escape(alt)}">'
    return Markup(head + re.sub("<[^>]*>", lambda tag: _own(tag[0], name), drawing))  # noqa: S704


def _own(tag: str, name: str) -> str:
    """A tag with the ids of one figure, and each colour as its variable, the light the fallback."""
    tag = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", tag)
    for variable, (light, _) in SCHEMES.items():
        tag = tag.replace(light, f"var(--{variable}, {light})")
    return tag
