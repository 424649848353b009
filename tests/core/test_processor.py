"""NumPy's kernels are chosen by what the processor can do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.processor import CPU_INFO, VARIABLE, choose_blas_kernels

AVX2 = "fpu sse2 avx avx2 fma"
AVX512 = f"{AVX2} avx512f avx512cd avx512bw avx512dq avx512vl"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")  # so that the test's own value is taken back
    monkeypatch.delenv(VARIABLE)


def cpu_info(folder: Path, flags: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text(f"processor\t: 0\nmodel\t\t: 999\nflags\t\t: {flags}\nbugs\t\t:\n")
    return path


@pytest.mark.parametrize(
    ("flags", "kernels"),
    [
        (AVX512, "SkylakeX"),
        (AVX2, "Haswell"),
        (AVX512.replace(" avx512dq", ""), "Haswell"),
        ("fpu sse2 avx", None),
    ],
)
def test_the_widest_kernels_that_the_flags_allow(
    tmp_path: Path, flags: str, kernels: str | None
) -> None:
    choose_blas_kernels(cpu_info(tmp_path, flags))
    assert os.environ.get(VARIABLE) == kernels


def test_what_the_user_set_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "Nehalem")
    choose_blas_kernels(cpu_info(tmp_path, AVX512))
    assert os.environ[VARIABLE] == "Nehalem"


def test_without_a_list_of_flags_nothing_is_set(tmp_path: Path) -> None:
    choose_blas_kernels(tmp_path / "none")
    assert VARIABLE not in os.environ


def test_the_pipelines_numpy_has_them() -> None:
    """What OpenBLAS says of itself in a new process, not what was asked of it."""
    if not CPU_INFO.is_file() or " avx2 " not in CPU_INFO.read_text():
        pytest.skip("no AVX2 here: OpenBLAS has nothing wider to choose")
    script = (
        "import pipeline, numpy, scipy.linalg, threadpoolctl\n"
        "print(*{each['architecture'] for each in threadpoolctl.threadpool_info()"
        " if each['internal_api'] == 'openblas'})"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    found = set(ran.stdout.split())
    assert found
    assert not found & {"Prescott", "Core2", "Nehalem", "Sandybridge"}
