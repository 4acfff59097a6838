#!/usr/bin/env python3
"""Records a command in a terminal and writes what it showed as an SVG: terminal.py OUT.svg REST SHOWN COMMAND...

SHOWN is what stands after the prompt. The picture plays the recording in twelve seconds, and then rests on what begins
with the line that has REST in it; "…" stands for what is left out. Its text is text. The script needs nothing but
Python's standard library, on Linux or macOS.
"""

import codecs
import fcntl
import os
import pty
import re
import struct
import sys
import termios
import time
from xml.sax.saxutils import escape

COLUMNS, ROWS = 118, 30
FRAMES, SECONDS = 24, 12  # of the picture
CELL, LINE, MARGIN = 8.4, 18, 16  # pixels
CONTROL = re.compile(r"\x1b\[(\d*)([A-Za-z])|\r?\n|\r|[^\x00-\x1f]")


def record(command):
    """What the command writes to a terminal, in pieces, each with the seconds since the start."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    start, pieces = time.monotonic(), []
    while True:
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:  # Linux ends so
            piece = b""
        if not piece:
            break
        pieces.append((time.monotonic() - start, piece))
    _, status = os.waitpid(process, 0)
    if status != 0:
        sys.exit(f"{command[0]} ended with status {os.waitstatus_to_exitcode(status)}:\n"
                 + b"".join(piece for _, piece in pieces).decode("utf-8", "replace"))
    return pieces


class Screen:
    """The lines that a terminal has shown. It knows what bench writes: text, new lines, going up, erasing below."""

    def __init__(self, first):
        self.lines, self.row, self.column = [first, ""], 1, 0

    def write(self, text):
        for found in CONTROL.finditer(text):
            match found[0][-1], found[1]:
                case "\n", _:
                    self.row, self.column = self.row + 1, 0
                    if self.row == len(self.lines):
                        self.lines.append("")
                case "\r", _:
                    self.column = 0
                case "A", str(count):
                    self.row = max(0, self.row - int(count or 1))
                case "J", str():
                    self.lines[self.row] = self.lines[self.row][: self.column]
                    del self.lines[self.row + 1 :]
                case sign, None:
                    line = self.lines[self.row].ljust(self.column)
                    self.lines[self.row] = line[: self.column] + sign + line[self.column + 1 :]
                    self.column += 1
                case _:
                    sys.exit(f"no rule says what {found[0]!r} does to the screen")


def frames(pieces, first, rest):
    """What the terminal shows at FRAMES times, its last ROWS lines; at the end, those from the one with rest in it."""
    screen, shown, last = Screen(first), [], pieces[-1][0]
    decoder = codecs.getincrementaldecoder("utf-8")()
    for seconds, piece in pieces:
        while len(shown) < FRAMES and seconds >= last * len(shown) / FRAMES:
            shown.append(screen.lines[-ROWS:])
        screen.write(decoder.decode(piece))
    begin = next((i for i, line in enumerate(screen.lines) if rest in line), None)
    if begin is None:
        sys.exit(f"the terminal has no line with {rest!r} to rest on")
    return [*shown, [first, "…", *screen.lines[begin:]][:ROWS]]


def picture(shown):
    """The SVG. Without animation it is the last screen."""
    width, height = round(COLUMNS * CELL + 2 * MARGIN), ROWS * LINE + 2 * MARGIN
    each = SECONDS / (len(shown) - 1)
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-label="A recorded terminal">',
        "<style>",
        "text { font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace }",
        "text { fill: #e6e8eb; white-space: pre }",
        ".past { visibility: hidden }",
        "@media not (prefers-reduced-motion: reduce) {",
        f".past {{ animation: shown {each:.3f}s 1 }} .last {{ animation: hidden {SECONDS}s 1 }}",
        "}",
        "@keyframes shown { from, to { visibility: visible } }",
        "@keyframes hidden { from, to { visibility: hidden } }",
        "</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#14171a"/>',
    ]
    for i, lines in enumerate(shown):
        last = i == len(shown) - 1
        svg.append('<g class="last">' if last else f'<g class="past" style="animation-delay: {i * each:.3f}s">')
        for row, line in enumerate(lines):
            if line := line.rstrip():
                y = MARGIN + (row + 0.75) * LINE
                svg.append(f'<text x="{MARGIN}" y="{y:g}" textLength="{len(line) * CELL:.1f}">{escape(line)}</text>')
        svg.append("</g>")
    return "\n".join([*svg, "</svg>", ""])


def main():
    out, rest, shown, *command = sys.argv[1:]
    svg = picture(frames(record(command), "$ " + shown, rest))
    with open(out, "w", encoding="utf-8") as file:
        file.write(svg)


if __name__ == "__main__":
    main()
