"""Draws how the rate per unit of work changes with the size of the work, from what `rlbench scale --json` printed.

    build/bin/rlbench scale --json >build/scale.json && python3 runs/scale.py build/scale.json docs/scale.svg

FILE may hold other lines too (build/bench.jsonl of `make bench` does): the last such line is drawn. A panel a range:
the median over rounds as a line, the range from least to most as a band, sizes on a logarithmic axis, rates from 0.
Needs nothing but Python.
"""
import json
import math
import pathlib
import re
import sys

WIDTH, HEIGHT, LEFT, TOP = 260, 190, 52, 40
INK, LINE, BAND = "#57606a", "#0969da", "#0969da"
RANGES = {  # the stem of a column's name: title, unit, and what turns a rate into it
    "environments": ("PPO by environments", "k steps/s", 1e-3),
    "threads": ("PPO by threads", "k steps/s per thread", 1e-3),
    "width": ("SAC update by width", "GFLOP/s", 1),
    "batch": ("SAC update by batch", "GFLOP/s", 1),
}


def load(path):
    lines = [line for line in pathlib.Path(path).read_text().splitlines() if '"bench": "scale"' in line]
    if not lines:
        sys.exit(f"{path}: found no line of rlbench scale --json")
    points = {stem: [] for stem in RANGES}
    for name, value in json.loads(lines[-1]).items():
        match = re.fullmatch(r"([a-z]+) (\d+)", name)
        if match and match[1] in points:
            points[match[1]].append((int(match[2]), value["min"], value["median"], value["max"]))
    return points


def panel(stem, points, x0):
    title, unit, factor = RANGES[stem]
    points = [(size, *(factor * value for value in values)) for size, *values in sorted(points)]
    first, last, high = points[0][0], points[-1][0], 1.08 * max(p[3] for p in points)
    inner_w, inner_h = WIDTH - LEFT - 18, HEIGHT - TOP - 26
    x = lambda size: x0 + LEFT + inner_w * (math.log(size / first) / math.log(last / first) if last > first else 0.5)
    y = lambda value: TOP + inner_h * (1 - value / high)
    line = " ".join(f"{x(p[0]):.1f},{y(p[2]):.1f}" for p in points)
    band = " ".join(f"{x(p[0]):.1f},{y(p[3]):.1f}" for p in points)
    band += " " + " ".join(f"{x(p[0]):.1f},{y(p[1]):.1f}" for p in reversed(points))
    text = lambda px, py, s, anchor, size=10: (
        f'<text x="{px:.0f}" y="{py:.0f}" font-size="{size}" text-anchor="{anchor}" fill="{INK}">{s}</text>')
    yield f'<rect x="{x0 + LEFT}" y="{TOP}" width="{inner_w}" height="{inner_h}" fill="none" stroke="#d0d7de"/>'
    yield f'<polygon points="{band}" fill="{BAND}" fill-opacity="0.18"/>'
    yield f'<polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="1.6"/>'
    for size, _, middle, _ in points:
        yield f'<circle cx="{x(size):.1f}" cy="{y(middle):.1f}" r="2.2" fill="{LINE}"/>'
        yield text(x(size), TOP + inner_h + 14, size, "middle", 9)
    yield text(x0 + LEFT, TOP - 22, title, "start", 11)
    yield text(x0 + LEFT, TOP - 8, unit, "start")
    for value in (0, max(p[2] for p in points)):
        yield text(x0 + LEFT - 5, y(value) + 4, f"{value:.3g}", "end")


def main(path, out):
    drawn = {stem: points for stem, points in load(path).items() if points}
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{len(drawn) * WIDTH}" height="{HEIGHT}" '
             f'font-family="sans-serif"><rect width="100%" height="100%" fill="#ffffff"/>']
    for i, (stem, points) in enumerate(drawn.items()):
        parts += panel(stem, points, i * WIDTH)
    pathlib.Path(out).write_text("\n".join(parts) + "\n</svg>\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
