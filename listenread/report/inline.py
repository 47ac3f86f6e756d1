"""Figures inside the page: svg files with the page's colours and fonts and unique identifiers."""

import re

#: What figures are drawn with (`listenread.figures.style.INK` and `LINE`), and the page's colours.
_COLOURS = {"#1f2328": "var(--ink)", "#d0d4d9": "var(--line)"}


def inline_svg(svg: str, prefix: str, description: str) -> str:
    """Make an svg file of matplotlib fit into an HTML page.

    Args:
        svg: text of the file.
        prefix: put before every identifier, so that several figures fit on one page.
        description: for screen readers.

    Returns:
        The ``<svg>`` element alone, as wide as its container at most.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{prefix}", svg)
    for colour, variable in _COLOURS.items():
        svg = svg.replace(colour, variable)
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 var(--sans)", svg)
    opening, rest = svg.split(">", 1)
    width = re.search(r'width="([\d.]+)pt"', opening)
    opening = re.sub(r'\s(?:width|height|version|xmlns:xlink)="[^"]*"', "", opening)
    points = float(width[1]) if width else 400.0
    label = description.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    opening += f' role="img" aria-label="{label}" style="max-width:{points * 4 / 3:.0f}px"'
    return f"{opening}>{rest}".replace("xlink:href", "href").strip()
