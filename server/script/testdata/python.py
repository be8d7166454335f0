"""Writes python.tsv: what CPython answers for formats, round and pow.

Each line is an expression of a cell, a tab and its value as CPython spells it.
Run with Python 3.11 or newer: python3 python.py > python.tsv
"""
import random

random.seed(7)
specs = ["", ".3f", ".0f", "8.2f", "<8.2f", "^9.1f", ">+8.1f", "+.2e", ".2E", "e", ".1%", "%", ",", "_", ",.2f",
         "010.3f", "08d", "5d", "<5d", "^5d", "=+8d", " d", "x", "#x", "X", "#b", "o", "_x", ",d", ".3g", "g", "G",
         ".10g", "*^12.2f", "*<6", "é>7", "#.3g", "#.0f", "#.0e", "+", ".2", "12.4", ".0e", ".1", "s", ".2s", ">5s",
         ",.0E", ",E", "_.1e", ",g", ",G", "0>14", "0^14.1f", "0<9", "0=9", "012,", "015,.2f", "0=+13_", "#012_x", "_>12,", "014,%", "020,.0E"]
numbers = [0, 1, -1, 34, -57, 1000, 123456789, 10**20, 0.0, -0.0, 0.5, 1.5, 2.5, -2.5, 3.14159265, 1e-5, 1.5e-7,
           123456.789, 1e16, 1e22, -1e-10, 0.1, 100.0, 1e100, 2 / 3, 99999.95, 0.00012345]
strings = ["", "a", "héllo", "xxxxxxxxxxxx"]
for spec in specs:
    for value in numbers + strings:
        try:
            print(f"fmt({'{:' + spec + '}'!r}, {value!r})\t{format(value, spec)!r}")
        except ValueError:
            pass
for value in numbers + [random.uniform(-1e3, 1e3) for _ in range(30)] + [0.285, 2.675, 1.005, 0.5e-3, 25, 35, -25, 15000]:
    print(f"round({value!r})\t{round(value)!r}")
    for n in (0, 1, 2, 3, -1, -2):
        print(f"round({value!r}, {n})\t{round(value, n)!r}")
for args in [(2, 10), (2, 100), (-3, 3), (2, -2), (2.0, 0.5), (10, 0), (0, 0), (3, 200, 13), (-7, 3, 5), (7, 3, -5)]:
    print(f"pow{args!r}\t{pow(*args)!r}")
for text in ["'{} {}', 1, 'b'", "'{1} {0}', 1, 'b'", "'{a}-{b:>4}', a=1, b='x'", "'{{{}}}', 1", "'{!r:>6}', 12", "'{:%}', 0.5"]:
    print(f"fmt({text})\t{eval('(lambda f, *a, **k: f.format(*a, **k))(' + text + ')')!r}")
