"""`python -m benchmarks [NAME ...]`: run these benchmarks, or all but gpu, one after the other."""

import importlib
import sys

BENCHMARKS = ("start", "steps", "training", "callbacks", "sweeps", "growth", "suites", "report", "explore")


ON_REQUEST = ("gpu",)


def main(names: list[str]) -> int:
    """Publish the results of each benchmark; 1 if a bar is missed."""
    if unknown := [name for name in names if name not in BENCHMARKS + ON_REQUEST]:
        print(f"error: {unknown[0]}: expected one of {', '.join(BENCHMARKS + ON_REQUEST)}", file=sys.stderr)
        return 2
    missed = 0
    for name in names or BENCHMARKS:
        results = importlib.import_module(f"benchmarks.{name}").measure()
        results.publish()
        missed += sum(not bar.holds for bar in results.bars)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
