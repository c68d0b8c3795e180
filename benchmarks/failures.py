"""Which of Plausible's screenshots do not find their article first? One line each, for looking at
them one by one: the rank of the right article, what came first instead, and the lines that counted
most.

    python -m benchmarks.failures
"""

from __future__ import annotations

from rich.progress import track

from benchmarks import data, ours

LINES_SHOWN = 4


def main() -> None:
    articles, pairs = data.screens("plausible")
    cases = [case for _, case in pairs]
    missed = 0
    with ours.indexed_desk(articles) as desk:
        reader = desk.encoder.reader = ours.RememberingReader()
        for case in track(cases, "screenshots"):
            ranked = ours.rank(desk, case)
            right = next(iter(case.relevant))
            if ranked[0] == right:
                continue
            missed += 1
            place = ranked.index(right) + 1 if right in ranked else "not among the first 20"
            print(f"{case.screenshots[0].name}: {right} is {place}, after {ranked[0]}")
            encoding = desk.encoder.encode("", [reader.read(case.screenshots[0].read_bytes())])
            weighed = sorted(
                zip(encoding.weights, encoding.lines, strict=True), key=lambda pair: -pair[0]
            )
            print("    " + " | ".join(f"{w:.2f} {line.text}" for w, line in weighed[:LINES_SHOWN]))
        reader.close()
    print(f"{missed} of {len(cases)}")


if __name__ == "__main__":
    main()
