"""What named GPUs can do at best, as their makers publish it."""

from __future__ import annotations

import dataclasses

from core.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gpu:
    """Peak rates; real programs reach a part of them."""

    name: str
    bytes_per_s: float  # memory
    float32_per_s: float  # FLOP/s outside tensor cores
    float16_per_s: float  # FLOP/s on tensor cores, dense
    bfloat16: bool = True  # at the same rate; False: its tensor cores lack the type
    host_bytes_per_s: float  # one direction of the bus to the host, by PCIe generation
    source: str

    def product_rate(self, dtype: str) -> float:
        """FLOP/s of matrix products of a type; "" is all other work."""
        halved = dtype == "float16" or (dtype == "bfloat16" and self.bfloat16)
        return self.float16_per_s if halved else self.float32_per_s


_PCIE = {3: 15.75e9, 4: 31.5e9, 5: 63e9}  # 16 lanes, PCI-SIG

GPUS = {
    gpu.name: gpu
    for gpu in (
        Gpu(
            name="t4",
            bytes_per_s=320e9,
            float32_per_s=8.1e12,
            float16_per_s=65e12,
            bfloat16=False,
            host_bytes_per_s=_PCIE[3],
            source="NVIDIA T4 Tensor Core GPU data sheet",
        ),
        Gpu(
            name="l4",
            bytes_per_s=300e9,
            float32_per_s=30.3e12,
            float16_per_s=121e12,  # the sheet's 242 is with sparsity
            host_bytes_per_s=_PCIE[4],
            source="NVIDIA L4 Tensor Core GPU data sheet",
        ),
        Gpu(
            name="a10g",
            bytes_per_s=600e9,
            float32_per_s=31.2e12,
            float16_per_s=125e12,
            host_bytes_per_s=_PCIE[4],
            source="NVIDIA A10 data sheet (the A10G of cloud machines is a variant)",
        ),
        Gpu(
            name="a100",
            bytes_per_s=2039e9,
            float32_per_s=19.5e12,
            float16_per_s=312e12,
            host_bytes_per_s=_PCIE[4],
            source="NVIDIA A100 80GB SXM data sheet",
        ),
        Gpu(
            name="h100",
            bytes_per_s=3350e9,
            float32_per_s=67e12,
            float16_per_s=989e12,  # the sheet's 1,979 is with sparsity
            host_bytes_per_s=_PCIE[5],
            source="NVIDIA H100 SXM data sheet",
        ),
    )
}


def gpu_named(name: str) -> Gpu:
    """The GPU of a name.

    Raises:
      ConfigError: it is not in the table.
    """
    if name not in GPUS:
        raise ConfigError(
            f"`gpu` must be one of {', '.join(GPUS)}. Received: {name}. Add its "
            "published rates to serving/inspect/gpus.py."
        )
    return GPUS[name]
