"""Which devices can run a node, from TensorFlow's own kernel registry."""

from __future__ import annotations

import enum
import functools
from typing import Any

from tensorflow.core.framework import node_def_pb2
from tensorflow.python.framework import kernels, op_def_registry

from serving.inspect.flat_graph import attribute

# `DEFAULT` kernels serve every device.
_GPU = frozenset({"GPU", "DEFAULT"})


class Place(enum.Enum):
    """Where a node runs once a GPU is there."""

    GPU = "GPU"
    HOST_MEMORY = "GPU, in host memory"  # a GPU kernel that computes on the host
    HOST = "host"  # no GPU kernel: falls back to the CPU


def place(definition: node_def_pb2.NodeDef) -> Place:
    """Where a node runs on a machine with a GPU."""
    fitting = [k for k in _kernels(definition.op) if _fits(k, definition)]
    on_gpu = [k for k in fitting if k.device_type in _GPU]
    if not on_gpu:
        return Place.HOST
    # Small integers (shapes, counts) have kernels that keep every tensor on the host.
    tensors = _tensors(definition.op)
    if tensors and all(tensors <= set(k.host_memory_arg) for k in on_gpu):
        return Place.HOST_MEMORY
    return Place.GPU


def devices(definition: node_def_pb2.NodeDef) -> tuple[str, ...]:
    """Device types with a kernel for the node's types: `("CPU", "GPU")`."""
    found = set()
    for kernel in _kernels(definition.op):
        if _fits(kernel, definition):
            every = kernel.device_type == "DEFAULT"
            found |= {"CPU", "GPU"} if every else {kernel.device_type}
    return tuple(sorted(found & {"CPU", "GPU"}))


@functools.cache
def _kernels(op: str) -> list[Any]:
    return list(kernels.get_registered_kernels_for_op(op).kernel)


@functools.cache
def _tensors(op: str) -> set[str]:
    found = op_def_registry.get(op)
    return {arg.name for arg in (*found.input_arg, *found.output_arg)}


def _fits(kernel: Any, definition: node_def_pb2.NodeDef) -> bool:
    """Whether the kernel's type constraints admit the node's attributes."""
    for constraint in kernel.constraint:
        value = attribute(definition, constraint.name)
        if value is None:
            return False
        kinds = list(value.list.type) or [value.type]
        if not set(kinds) <= set(constraint.allowed_values.list.type):
            return False
    return True
