from __future__ import annotations

import gc
import weakref

from apache_beam.utils.shared import Shared

from components import worker_memory


class Model:
    pass


def test_what_a_finished_pipeline_left_is_dropped() -> None:
    left = weakref.ref(Shared().acquire(Model))
    gc.collect()
    assert left() is not None  # Beam keeps it for a next bundle of work
    worker_memory.release()
    gc.collect()
    assert left() is None
