"""Lines on logarithmic axes, as SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass

COLORS = ("#0b6e4f", "#c8553d", "#5b5f97")
WIDTH, HEIGHT, LEFT, TOP, GAP = 270, 260, 60, 40, 70
X = (10, 100_000)
Y = (10, 1_000_000)
TICKS = {10: "10 us", 100: "100 us", 1000: "1 ms", 10_000: "10 ms", 100_000: "100 ms", 1_000_000: "1 s"}


@dataclass
class Panel:
    title: str
    lines: dict[str, list[tuple[int, float]]]
    """Points by what they are of: the registry's size, and microseconds."""


def draw(panels: list[Panel]) -> str:
    width = LEFT + len(panels) * (WIDTH + GAP)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT + TOP + 80}"'
    parts = [f'{head} font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="white"/>']
    for number, panel in enumerate(panels):
        parts += _panel(panel, LEFT + number * (WIDTH + GAP))
    for number, (name, color) in enumerate(zip(panels[0].lines, COLORS, strict=True)):
        x, y = LEFT + number * 170, HEIGHT + TOP + 60
        parts.append(f'<line x1="{x}" y1="{y}" x2="{x + 24}" y2="{y}" stroke="{color}" stroke-width="2"/>')
        parts.append(f'<text x="{x + 30}" y="{y + 4}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _panel(panel: Panel, left: float) -> list[str]:
    def x(size: float) -> float:
        return left + WIDTH * _part(size, X)

    def y(microseconds: float) -> float:
        return TOP + HEIGHT * (1 - _part(microseconds, Y))

    parts = [f'<text x="{left}" y="{TOP - 14}" font-weight="bold">{panel.title}</text>']
    for tick, label in TICKS.items():
        parts.append(
            f'<line x1="{left}" y1="{y(tick):.1f}" x2="{left + WIDTH}" y2="{y(tick):.1f}" stroke="#ddd"/>'
            f'<text x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{label}</text>'
        )
    for size in (10, 100, 1000, 10_000, 100_000):
        parts.append(f'<text x="{x(size):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{size:,}</text>')
    parts.append(f'<text x="{left + WIDTH / 2}" y="{TOP + HEIGHT + 36}" text-anchor="middle">entries</text>')
    for (name, points), color in zip(panel.lines.items(), COLORS, strict=True):
        path = " ".join(f"{x(size):.1f},{y(microseconds):.1f}" for size, microseconds in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"><title>{name}</title></polyline>'
        )
        parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{color}"/>' for a, b in points]
    return parts


def _part(value: float, scale: tuple[float, float]) -> float:
    low, high = map(math.log10, scale)
    return (math.log10(value) - low) / (high - low)
