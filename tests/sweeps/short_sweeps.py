"""Jobs of well under a second, for tests of what is around them."""

from pathlib import Path

JOB = [
    "data=digits",
    "data.image_size=8",
    "trainer=cpu",
    "trainer.max_epochs=1",
    "callbacks=no_pictures",
    "logger=none",
    "sweep.report=false",
]


def written(folder: Path) -> dict[str, int]:
    """When the metrics of each job were written."""
    return {file.parent.name: file.stat().st_mtime_ns for file in folder.glob("*/metrics.json")}
