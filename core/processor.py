"""Linear algebra with the processor's widest instructions, on new models too."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "OPENBLAS_CORETYPE"
CPU_INFO = Path("/proc/cpuinfo")
# Kernels by what a processor needs to run them, the widest first.
_KERNELS = {
    "SkylakeX": {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"},
    "Haswell": {"avx2", "fma"},
}


def choose_blas_kernels(cpu_info: Path = CPU_INFO) -> None:
    """Names NumPy's and SciPy's kernels by what the processor can do.

    The OpenBLAS inside their wheels goes by the processor's model number, and gives one
    that is newer than itself kernels of 2004: a solve then takes several times as long.
    It reads the environment when NumPy is first imported, so this has to come before.
    A variable that is set already stays, and so does all else where there is no
    `cpu_info` to read.
    """
    if VARIABLE in os.environ or not cpu_info.is_file():
        return
    flags = _flags(cpu_info.read_text("utf-8", "replace"))
    for name, needed in _KERNELS.items():
        if needed <= flags:
            os.environ[VARIABLE] = name
            return


def _flags(cpu_info: str) -> set[str]:
    for line in cpu_info.splitlines():
        name, _, values = line.partition(":")
        if name.strip() == "flags":
            return set(values.split())
    return set()
