"""Draws learning curves as one SVG from the curve files that runs/reproduce.sh wrote (NAME-SEED.csv).

    python3 runs/curves.py runs/reference docs/curves.svg

A panel a task: the mean over seeds as a line, the range from least to most as a band. Needs nothing but Python.
"""
import collections
import csv
import pathlib
import re
import sys

WIDTH, HEIGHT, LEFT, TOP, COLUMNS = 260, 170, 52, 26, 4
INK, LINE, BAND = "#57606a", "#0969da", "#0969da"


def load(folder):
    tasks = collections.defaultdict(list)
    for path in sorted(pathlib.Path(folder).glob("*.csv")):
        match = re.fullmatch(r"(.+)-(\d+)", path.stem)
        if not match:
            continue
        rows = [(float(r["step"]), float(r["episode_return_mean"]))
                for r in csv.DictReader(path.open()) if r["episode_return_mean"]]
        if rows:
            tasks[match[1]].append(rows)
    return dict(sorted(tasks.items()))


def spread(curves):
    """(step, least, mean, most) at the steps all seeds have reached, matched by their order."""
    first = max(c[0][0] for c in curves)
    curves = [[p for p in c if p[0] >= first] for c in curves]
    for points in zip(*curves):
        returns = [p[1] for p in points]
        yield points[0][0], min(returns), sum(returns) / len(returns), max(returns)


def panel(name, curves, x0, y0):
    points = list(spread(curves))
    steps = points[-1][0]
    low, high = min(p[1] for p in points), max(p[3] for p in points)
    low, high = min(low, 0), max(high, 0)
    inner_w, inner_h = WIDTH - LEFT - 12, HEIGHT - TOP - 26
    x = lambda step: x0 + LEFT + inner_w * step / steps
    y = lambda value: y0 + TOP + inner_h * (high - value) / ((high - low) or 1)
    line = " ".join(f"{x(p[0]):.1f},{y(p[2]):.1f}" for p in points)
    band = " ".join(f"{x(p[0]):.1f},{y(p[3]):.1f}" for p in points)
    band += " " + " ".join(f"{x(p[0]):.1f},{y(p[1]):.1f}" for p in reversed(points))
    text = lambda px, py, s, anchor, size=10: (
        f'<text x="{px:.0f}" y="{py:.0f}" font-size="{size}" text-anchor="{anchor}" fill="{INK}">{s}</text>')
    bottom = y0 + TOP + inner_h
    yield f'<rect x="{x0 + LEFT}" y="{y0 + TOP}" width="{inner_w}" height="{inner_h}" fill="none" stroke="#d0d7de"/>'
    yield f'<polygon points="{band}" fill="{BAND}" fill-opacity="0.18"/>'
    yield f'<polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="1.6"/>'
    yield text(x0 + LEFT, y0 + TOP - 8, f"{name} ({len(curves)} seed{'s' if len(curves) > 1 else ''})", "start", 11)
    for value in (low, high):
        yield text(x0 + LEFT - 5, y(value) + 4, f"{value:.0f}", "end")
    yield text(x0 + LEFT, bottom + 14, "0", "middle")
    yield text(x(steps), bottom + 14, f"{steps / 1e6:.3g}M steps", "end")


def main(folder, out):
    tasks = load(folder)
    rows = (len(tasks) + COLUMNS - 1) // COLUMNS
    columns = min(COLUMNS, len(tasks))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{columns * WIDTH}" height="{rows * HEIGHT}" '
             f'font-family="sans-serif"><rect width="100%" height="100%" fill="#ffffff"/>']
    for i, (name, curves) in enumerate(tasks.items()):
        parts += panel(name, curves, i % COLUMNS * WIDTH, i // COLUMNS * HEIGHT)
    pathlib.Path(out).write_text("\n".join(parts) + "\n</svg>\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
