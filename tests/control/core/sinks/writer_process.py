"""A process that stores frames until it is killed: it says on stdout up to which index it flushed."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.control.core.sinks import examples

from control.core.sinks import make_sink

GROUP = 4


def main(folder: Path, format: str, size_px: int) -> None:
    data = examples.layout(wells=("B3", "C11"), fields=2, size_t=4, size_z=4, shape_px=(size_px, size_px))
    sink = make_sink(format)
    sink.open(folder, data, resume=False)
    for record in examples.records(data):
        index = record.event.index
        sink.append(record, examples.pixels(data, index))
        if index % GROUP == GROUP - 1:
            sink.flush()
            sys.stdout.write(f"flushed {index}\n")
            sys.stdout.flush()
    sink.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
