"""An array that is stored as codes and becomes numbers once, when a model is loaded."""

from __future__ import annotations

import tensorflow as tf


class Expanded(tf.saved_model.experimental.TrackableResource):  # type: ignore[misc]
    """A variable that no checkpoint holds: the SavedModel's initializer fills it.

    What every request reads whole, a matrix to multiply with, would else become numbers
    in every request.
    """

    def __init__(
        self, codes: tf.Variable, scales: tf.Variable | None, dtype: tf.DType, name: str
    ) -> None:
        """
        Args:
          codes: [...] of any type.
          scales: of a shape that broadcasts over `codes`; None: codes are the numbers.
          dtype: of the numbers.
          name: of the variable in the process that loads the model. Two models may
            share what is alike, so equal names must mean equal numbers.
        """
        super().__init__()
        self._codes, self._scales = codes, scales
        self._dtype, self._name = dtype, name

    @property
    def nbytes(self) -> int:
        """Of the numbers, in memory."""
        return int(tf.size(self._codes)) * self._dtype.size

    def read(self, handle: tf.Tensor) -> tf.Tensor:
        """The numbers, from the handle as the current function captured it."""
        read = tf.raw_ops.ReadVariableOp(resource=handle, dtype=self._stored_dtype)
        read.set_shape(self._codes.shape)
        return read if self._is_stored else tf.bitcast(read, self._dtype)

    def _create_resource(self) -> tf.Tensor:
        return tf.raw_ops.VarHandleOp(
            dtype=self._stored_dtype, shape=self._codes.shape, shared_name=self._name
        )

    def _initialize(self) -> None:
        numbers = self._codes.read_value()
        if self._scales is not None:
            scales = tf.cast(self._scales.read_value(), tf.float32)
            numbers = tf.cast(numbers, tf.float32) * scales
        numbers = tf.cast(numbers, self._stored_dtype)
        tf.raw_ops.AssignVariableOp(resource=self.resource_handle, value=numbers)

    @property
    def _stored_dtype(self) -> tf.DType:
        # int32 variables have no GPU kernel, uint32 ones do.
        return tf.uint32 if self._dtype == tf.int32 else self._dtype

    @property
    def _is_stored(self) -> bool:
        return bool(self._stored_dtype == self._dtype)
