# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The SVG picture: a dot per program and allocator, on two logarithmic axes: time and peak RSS."""

import html
import math

COLOURS = {"tally": "#c2185b", "mimalloc": "#455a64", "glibc": "#9e9e9e", "jemalloc": "#1976d2",
           "tcmalloc": "#ef8f00", "tbbmalloc": "#388e3c"}
SPARE_COLOURS = ["#6a1b9a", "#00838f", "#5d4037", "#9e9d24"]

ROW_HEIGHT = 18
LABEL_WIDTH = 150
PANEL_WIDTH = 390
PANEL_GAP = 40
TOP = 96
BOTTOM = 34
# In the order of importance: a tick too near to one before it in the list is left out.
TICKS = [1, 0.5, 2, 0.2, 5, 3, 1.5, 0.7, 0.3, 0.8, 0.9, 1.2, 0.6, 4, 6]
TICK_GAP_MIN = 28
AXIS_MAX = 6.0  # Beyond it a dot becomes an arrow at the edge, with its number.
AXIS_MIN = 0.15


class _Panel:
    """One axis: from a ratio to a horizontal position."""

    def __init__(self, left, ratios):
        values = [ratio.value for ratio in ratios] + [0.8, 1.25]
        self.left = left
        self.low = max(AXIS_MIN, min(values) / 1.1)
        self.high = min(AXIS_MAX, max(values) * 1.1)

    def x(self, value):
        value = min(self.high, max(self.low, value))
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.left + PANEL_WIDTH * share

    def ticks(self):
        shown = []
        for tick in TICKS:
            is_inside = self.low <= tick <= self.high
            if is_inside and all(abs(self.x(tick) - self.x(other)) >= TICK_GAP_MIN
                                 for other in shown):
                shown.append(tick)
        return shown


def _text(x, y, content, size=12, anchor="start", weight="normal", colour="#222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}" fill="{colour}">{html.escape(content)}</text>')


def _line(x1, y1, x2, y2, colour, width=1.0):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width}"/>')


def _mark(panel, ratio, y, colour, name, is_featured):
    """A dot, or an arrow where the axis ends before the value; the title shows on hover."""
    x = panel.x(ratio.value)
    title = f"<title>{html.escape(name)}: {ratio.value:.3f}</title>"
    if ratio.value > panel.high or ratio.value < panel.low:
        tip = 6 if ratio.value > panel.high else -6
        points = f"{x:.1f},{y - 4:.1f} {x:.1f},{y + 4:.1f} {x + tip:.1f},{y:.1f}"
        anchor = "end" if tip > 0 else "start"
        return [f'<polygon points="{points}" fill="{colour}">{title}</polygon>',
                _text(x - tip, y + 3.5, f"{ratio.value:.1f}", 9, anchor, colour=colour)]
    marks = []
    if is_featured:
        marks.append(_line(panel.x(ratio.low), y, panel.x(ratio.high), y, colour, 2))
    radius = 5 if is_featured else 3.6
    marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" '
                 f'fill-opacity="{1 if is_featured else 0.75}">{title}</circle>')
    return marks


def _axis(panel, title, rows_bottom):
    marks = [_text(panel.left + PANEL_WIDTH / 2, TOP - 28, title, 14, "middle", "bold")]
    for tick in panel.ticks():
        x = panel.x(tick)
        colour, width = ("#555", 1.4) if tick == 1 else ("#ddd", 1)
        marks.append(_line(x, TOP - 6, x, rows_bottom, colour, width))
        marks.append(_text(x, TOP - 10, f"{tick:g}", 11, "middle", colour="#555"))
        marks.append(_text(x, rows_bottom + 14, f"{tick:g}", 11, "middle", colour="#555"))
    return marks


def _colour_of(allocators):
    spare = iter(SPARE_COLOURS * len(allocators))
    return {name: COLOURS.get(name) or next(spare) for name in allocators}


def svg(figures):
    colours = _colour_of(figures.allocators)
    featured = "tally" if "tally" in figures.allocators else figures.allocators[-1]
    # The featured allocator is drawn last, on top.
    order = [name for name in figures.allocators if name not in (figures.baseline, featured)]
    order += [featured] if featured != figures.baseline else []
    rows = ["geometric mean"] + figures.programs
    width = LABEL_WIDTH + 2 * PANEL_WIDTH + PANEL_GAP + 30
    rows_bottom = TOP + ROW_HEIGHT * len(rows) + 8
    marks = [_text(14, 24, f"Relative to {figures.baseline}: left of 1 is better", 16,
                   weight="bold")]
    x = 14
    for name in [figures.baseline] + order[::-1]:
        label = name + (" = 1" if name == figures.baseline else "")
        shape = (_line(x + 4, 36, x + 4, 50, "#555", 1.4) if name == figures.baseline else
                 f'<circle cx="{x + 4}" cy="43" r="4.5" fill="{colours[name]}"/>')
        marks += [shape, _text(x + 13, 47, label, 12)]
        x += 30 + 7 * len(label)
    for row in range(0, len(rows), 2):
        marks.append(f'<rect x="8" y="{TOP + ROW_HEIGHT * row:.1f}" width="{width - 16}" '
                     f'height="{ROW_HEIGHT}" fill="#f5f5f5"/>')
    for index, (metric, title) in enumerate((("wall", "wall time"), ("rss", "peak RSS"))):
        def ratio_of(row, name, metric=metric):
            return (figures.mean(metric, name) if row == "geometric mean"
                    else figures.ratio(metric, row, name))
        found = {(row, name): ratio_of(row, name) for row in rows for name in order}
        panel = _Panel(LABEL_WIDTH + index * (PANEL_WIDTH + PANEL_GAP),
                       [ratio for ratio in found.values() if ratio])
        marks += _axis(panel, title, rows_bottom)
        for number, row in enumerate(rows):
            y = TOP + ROW_HEIGHT * (number + 0.5)
            for name in order:
                if found[row, name]:
                    marks += _mark(panel, found[row, name], y, colours[name], name,
                                   name == featured)
    for number, row in enumerate(rows):
        y = TOP + ROW_HEIGHT * (number + 0.5) + 4
        marks.append(_text(LABEL_WIDTH - 14, y, row, 12, "end", "bold" if number == 0 else "normal"))
    height = rows_bottom + BOTTOM
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:.0f}" '
            f'viewBox="0 0 {width} {height:.0f}" font-family="sans-serif">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(marks) + "\n</svg>\n")
