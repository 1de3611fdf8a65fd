"""Plots as SVG: curves in panels side by side, and bars. Colours follow the reader's light or dark background."""
import math
from html import escape

COLOURS = 6
STYLE = """<style>
text { font: 12px sans-serif; fill: #24292f } .title { font-weight: bold } .small { font-size: 11px }
.paper { fill: #ffffff } .grid { stroke: #d8dee4 } .frame { stroke: #8c959f; fill: none } .limit { stroke: #57606a }
.curve { fill: none; stroke-width: 1.6 } .dashed { stroke-dasharray: 5 3 }
.c0 { stroke: #0969da } .c1 { stroke: #bc4c00 } .c2 { stroke: #1a7f37 }
.c3 { stroke: #8250df } .c4 { stroke: #bf3989 } .c5 { stroke: #7d6600 }
.b0 { fill: #0969da } .b1 { fill: #bc4c00 } .b2 { fill: #1a7f37 }
@media (prefers-color-scheme: dark) {
text { fill: #d1d7e0 } .paper { fill: #151b23 } .grid { stroke: #2f3742 } .frame { stroke: #656c76 } .limit { stroke: #9198a1 }
.c0 { stroke: #58a6ff } .c1 { stroke: #f0883e } .c2 { stroke: #3fb950 }
.c3 { stroke: #bc8cff } .c4 { stroke: #f778ba } .c5 { stroke: #d29922 }
.b0 { fill: #58a6ff } .b1 { fill: #f0883e } .b2 { fill: #3fb950 }
}
</style>"""


class Axis:
    """Maps values to positions, linearly or by their logarithm."""

    def __init__(self, values, start, end, logarithmic):
        low, high = min(values), max(values)
        self.log = logarithmic
        if low == high:
            low, high = (low / 2, high * 2) if logarithmic else (low - 1, high + 1)
        self.low, self.high, self.start, self.end = low, high, start, end

    def at(self, value):
        f = math.log if self.log else (lambda x: x)
        return self.start + (self.end - self.start) * (f(value) - f(self.low)) / (f(self.high) - f(self.low))

    def ticks(self):
        if not self.log:
            step = 10 ** math.floor(math.log10(self.high - self.low))
            step *= next(m for m in (0.2, 0.5, 1, 2) if (self.high - self.low) / (m * step) <= 8)
            first = math.ceil(self.low / step - 1e-9)
            return [round(i * step, 9) for i in range(first, math.floor(self.high / step + 1e-9) + 1)]
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for digits in [(1, 2, 5), (1, 3), (1,)]:
            marks = [m * 10.0 ** e for e in decades for m in digits if self.low <= m * 10.0 ** e <= self.high * 1.0001]
            if len(marks) <= 8:
                break
        return marks


def number(value):
    return f"{value:.0f}" if value >= 1e4 else f"{value:g}"


def text(x, y, what, anchor="middle", css="", turn=False):
    turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}"{turned}>{escape(what)}</text>'


def line(x1, y1, x2, y2, css):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def document(width, height, title, parts):
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img"><title>{escape(title)}</title>')
    paper = f'<rect width="{width}" height="{height}" rx="6" class="paper"/>'
    return "\n".join([head, STYLE, paper, *parts, "</svg>"]) + "\n"


def panel(left, top, width, height, name, x_label, y_label, curves, x_axis, y_axis):
    parts = [text(left + width / 2, top - 8, name, css="title"), text(left + width / 2, top + height + 34, x_label)]
    if y_label:
        parts.append(text(left - 42, top + height / 2, y_label, turn=True))
    for tick in x_axis.ticks():
        x = x_axis.at(tick)
        parts += [line(x, top, x, top + height, "grid"), text(x, top + height + 16, number(tick), css="small")]
    for tick in y_axis.ticks():
        y = y_axis.at(tick)
        parts += [line(left, y, left + width, y, "grid"), text(left - 6, y + 4, number(tick), "end", "small")]
    parts.append(f'<rect x="{left}" y="{top}" width="{width}" height="{height}" class="frame"/>')
    for curve in curves:
        points = " ".join(f"{x_axis.at(x):.1f},{y_axis.at(y):.1f}" for x, y in curve["points"])
        css = f'curve c{curve["colour"] % COLOURS}' + (" dashed" if curve["dashed"] else "")
        parts.append(f'<polyline points="{points}" class="{css}"/>')
    return parts


def curves(title, x_label, y_label, panels, log_x):
    """panels: (name, curves), a curve a dict of label, points, colour, dashed. They share axes and legend."""
    width, height, top = 380, 280, 40
    every = [point for _, drawn in panels for curve in drawn for point in curve["points"]]
    parts = []
    for i, (name, drawn) in enumerate(panels):
        left = 62 + i * (width + 46)
        x_axis = Axis([x for x, _ in every], left, left + width, log_x)
        y_axis = Axis([y for _, y in every], top + height, top, True)
        parts += panel(left, top, width, height, name, x_label, y_label if i == 0 else "", drawn, x_axis, y_axis)
    total, y = 62 + len(panels) * (width + 46) - 22, top + height + 58
    legend = [curve for curve in panels[0][1] if not curve["dashed"]]
    for i, curve in enumerate(legend):
        x = 62 + i % 4 * 200
        css = f'curve c{curve["colour"] % COLOURS}'
        parts += [line(x, y + i // 4 * 18 - 4, x + 26, y + i // 4 * 18 - 4, css),
                  text(x + 32, y + i // 4 * 18, curve["label"], "start", "small")]
    return document(total, y + (len(legend) - 1) // 4 * 18 + 14, title, parts)


def bars(title, names, groups, limit):
    """Horizontal bars: for each name one of each group (label, values); a line at the limit."""
    left, width, top, bar = 170, 620, 46, 9
    step = bar * len(groups) + 9
    height = step * len(names)
    axis = Axis([0, max([limit] + [v for _, values in groups for v in values])], left, left + width, False)
    parts = [text(left, 18, title, "start", "title")]
    for tick in axis.ticks():
        parts += [line(axis.at(tick), top, axis.at(tick), top + height, "grid"),
                  text(axis.at(tick), top + height + 16, number(tick), css="small")]
    for i, name in enumerate(names):
        y = top + i * step + 4
        parts.append(text(left - 8, y + step / 2, name, "end", "small"))
        for j, (_, values) in enumerate(groups):
            parts.append(f'<rect x="{left}" y="{y + j * bar:.1f}" height="{bar - 1}" class="b{j}" '
                         f'width="{max(axis.at(values[i]) - left, 0.5):.1f}"/>')
    parts.append(line(axis.at(limit), top, axis.at(limit), top + height, "limit"))
    for j, (label, _) in enumerate(groups):
        parts += [f'<rect x="{left + j * 160}" y="28" width="10" height="10" class="b{j}"/>',
                  text(left + j * 160 + 16, 37, label, "start", "small")]
    return document(left + width + 24, top + height + 28, title, parts)
