"""Draws the logs of a training folder: python3 plot.py OUT.svg LOG.csv [LOG.csv …]

A log's columns are step, minutes, and what was measured then; one panel per column and log, drawn without a library.
"""
import argparse
import csv
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 320, 150, 34
#: By the first word of a log's name.
NAMES = {'transformer': ['loss', 'bits right'], 'tokenizer': ['scenes, dB', 'photographs, dB'], 'depth': ['error'], 'finder': ['right']}


def _panel(points: list[tuple[float, float]], title: str, left: int) -> str:
    xs, ys = zip(*points)
    (x0, x1), (y0, y1) = (min(xs), max(xs)), (min(ys), max(ys))

    def place(x: float, y: float) -> str:
        across = (x - x0) / max(1e-9, x1 - x0) * (WIDTH - 2 * MARGIN)
        up = (y - y0) / max(1e-9, y1 - y0) * (HEIGHT - 2 * MARGIN)
        return f'{left + MARGIN + across:.1f},{HEIGHT - MARGIN - up:.1f}'

    line = ' '.join(place(x, y) for x, y in points)
    texts = [(left + MARGIN, 20, title), (left + MARGIN, HEIGHT - 12, f'{x0:g}'), (left + WIDTH - 2 * MARGIN, HEIGHT - 12, f'{x1:g} min'),
             (left + 2, HEIGHT - MARGIN, f'{y0:.3g}'), (left + 2, MARGIN + 4, f'{y1:.3g}')]
    words = ''.join(f'<text x="{x}" y="{y}">{text}</text>' for x, y, text in texts)
    return f'<polyline points="{line}" fill="none" stroke="#2b6cb0" stroke-width="1.5"/>{words}'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('out', type=Path)
    parser.add_argument('logs', type=Path, nargs='+')
    options = parser.parse_args()
    panels = []
    for log in options.logs:
        rows = [[float(cell) for cell in row] for row in csv.reader(log.open())]
        names = NAMES.get(log.stem.split('-')[0], ['value'])
        for column, name in enumerate(names[:len(rows[0]) - 2], start=2):
            panels.append(_panel([(row[1], row[column]) for row in rows], f'{log.stem}: {name}', WIDTH * len(panels)))
    size = f'width="{WIDTH * len(panels)}" height="{HEIGHT}"'
    style = '<style>text{font:10px sans-serif;fill:#444}</style><rect width="100%" height="100%" fill="white"/>'
    options.out.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{style}{"".join(panels)}</svg>\n')


if __name__ == '__main__':
    main()
