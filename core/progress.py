"""Progress that any step may report, without knowing who shows it.

A step calls `advance("Retriever", 3, 10, "epoch 3, recall@100 .412")`; the `souk`
command draws a bar from these records, the log file keeps them, and a test reads them.
"""

from __future__ import annotations

import logging

logger = logging.getLogger("souk")


def advance(step: str, done: int, total: int, note: str = "") -> None:
    """Reports that `done` of `total` units of `step` are finished."""
    logger.info(
        "%s: %d/%d %s",
        step,
        done,
        total,
        note,
        extra={"souk_step": step, "souk_done": done, "souk_total": total, "note": note},
    )


def counted(number: int, one: str, many: str = "") -> str:
    """`1 item`, `1,200 items`: a number and what agrees with it.

    Args:
      number: how many.
      one: of one: a noun, or several words where another than the last agrees.
      many: of any other number; "": `one` with an s.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def megabytes(num_bytes: float) -> str:
    """`69.4 MB` of 69,446,795 bytes, in the unit of `gates.max_size_mb`."""
    return f"{num_bytes / 1e6:.1f} MB"


def say(step: str, note: str) -> None:
    """Reports one fact worth a line, such as row counts."""
    logger.info("%s: %s", step, note, extra={"souk_step": step, "note": note})
