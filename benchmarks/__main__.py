"""`python -m benchmarks [NAME ...]`: answer these questions, or all of them, one after the other."""

import importlib
import sys

QUESTIONS = ("start", "steps", "training", "callbacks", "sweeps", "growth", "suites", "report")


def main(names: list[str]) -> int:
    """Publish each question's results; 1 where a bar is missed."""
    if unknown := [name for name in names if name not in QUESTIONS]:
        print(f"error: {unknown[0]}: expected one of {', '.join(QUESTIONS)}", file=sys.stderr)
        return 2
    missed = 0
    for name in names or QUESTIONS:
        results = importlib.import_module(f"benchmarks.{name}").measure()
        results.publish()
        missed += sum(not bar.holds for bar in results.bars)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
