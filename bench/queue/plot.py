#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""plot.py QUEUE.json OUT.svg: what a queued job costs against the length of the queue, as bench_queue wrote it down."""
import json
import math
import sys

WIDTH, HEIGHT = 860, 360
PANELS = {"cpu": (60, 40, 330, 250), "bytes": (480, 40, 330, 250)}  # left, top, width, height
COLOURS = {"submit memory": "#1f77b4", "submit disk": "#08306b", "life memory": "#e6862b", "life disk": "#a13d00",
           "memory": "#1f77b4", "disk": "#08306b"}


class Panel:
    def __init__(self, name, title, depths, bottom, top, ticks):
        self.left, self.top, self.width, self.height = PANELS[name]
        self.depths, self.low, self.high, self.ticks = depths, bottom, top, ticks
        self.out = [f'<text class="title" x="{self.left}" y="{self.top - 16}">{title}</text>']

    def x(self, depth):
        first, last = math.log10(self.depths[0]), math.log10(self.depths[-1])
        return self.left + (math.log10(depth) - first) / (last - first) * self.width

    def y(self, value):
        return self.top + self.height - (value - self.low) / (self.high - self.low) * self.height

    def frame(self, below):
        for tick in self.ticks:
            y = self.y(tick)
            self.out.append(f'<line class="grid" x1="{self.left}" y1="{y:.1f}" x2="{self.left + self.width}" y2="{y:.1f}"/>')
            self.out.append(f'<text class="tick" text-anchor="end" x="{self.left - 6}" y="{y + 4:.1f}">{tick}</text>')
        for depth in self.depths:
            self.out.append(f'<text class="tick" text-anchor="middle" x="{self.x(depth):.1f}" '
                            f'y="{self.top + self.height + 18}">{depth:,}</text>')
        self.out.append(f'<text class="tick" text-anchor="middle" x="{self.left + self.width / 2}" '
                        f'y="{self.top + self.height + 40}">{below}</text>')

    def series(self, name, points, label_y):
        colour = COLOURS[name]
        at = [(self.x(depth), self.y(min(value, self.high)), value > self.high, value) for depth, value in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in at)
        self.out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{line}"/>')
        for x, y, is_cut, value in at:
            self.out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
            if is_cut:
                self.out.append(f'<text class="tick" fill="{colour}" x="{x + 6:.1f}" y="{label_y + 4:.1f}">{value:.0f}</text>')

    def legend(self, names):
        for i, (name, text) in enumerate(names):
            x, y = self.left + 120 + i % 2 * 110, self.top + 30 + i // 2 * 18
            self.out.append(f'<line x1="{x}" y1="{y}" x2="{x + 16}" y2="{y}" stroke="{COLOURS[name]}" stroke-width="2"/>')
            self.out.append(f'<text class="tick" x="{x + 20}" y="{y + 4}">{text}</text>')


def rows_of(data, ack, key):
    return [(row["depth"], row[key]) for row in data["rows"] if row["ack"] == ack and row[key] > 0]


def main(source, target):
    with open(source, encoding="utf-8") as file:
        data = json.load(file)
    depths = sorted({row["depth"] for row in data["rows"]})
    cpu = Panel("cpu", "CPU of the daemon per job, µs", depths, 0, 20, range(0, 21, 5))
    cpu.frame("jobs in the queue")
    for i, (name, ack, key) in enumerate([("submit memory", "memory", "submit_cpu_us"), ("submit disk", "disk", "submit_cpu_us"),
                                          ("life memory", "memory", "life_cpu_us"), ("life disk", "disk", "life_cpu_us")]):
        cpu.series(name, rows_of(data, ack, key), cpu.top + (i % 2) * 16)
    cpu.legend([("submit memory", "submit, memory"), ("submit disk", "submit, disk"),
                ("life memory", "run, memory"), ("life disk", "run, disk")])
    queued = [depth for depth in depths if depth >= 10_000]
    size = Panel("bytes", "Memory per queued job, bytes", queued, 0, 800, range(0, 801, 200))
    size.frame("jobs in the queue")
    for ack in ("memory", "disk"):
        size.series(ack, rows_of(data, ack, "bytes_per_job"), size.top)
    bound = 460 + data["args_bytes"]
    size.out.append(f'<line x1="{size.left}" y1="{size.y(bound):.1f}" x2="{size.left + size.width}" y2="{size.y(bound):.1f}" '
                    'stroke="#888" stroke-dasharray="5 4"/>')
    size.out.append(f'<text class="tick" x="{size.left + 4}" y="{size.y(bound) + 14:.1f}">target: 460 and the args</text>')
    size.legend([("memory", "ack memory"), ("disk", "ack disk")])
    with open(target, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">\n'
                   '<style>.title{font-size:14px}.tick{font-size:11px}.grid{stroke:#ddd}</style>\n'
                   f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n')
        file.write("\n".join(cpu.out + size.out) + "\n</svg>\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
