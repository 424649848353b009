"""Builds a real Transform graph from a small table, without a TFX pipeline."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils
from tfx_bsl.coders import example_coder  # noqa: F401  (registers Arrow coders)
from tfx_bsl.tfxio import tensor_adapter, tensor_representation_util

from core.config.transform import TransformConfig
from trainer.data import examples
from trainer.transform_module import preprocessing_fn


def raw_feature_spec(table: pa.Table) -> dict[str, tf.io.VarLenFeature]:
    """Every column as a column that may be missing, as the curated schema has it."""
    kinds = {pa.string(): tf.string, pa.int64(): tf.int64, pa.float32(): tf.float32}
    return {f.name: tf.io.VarLenFeature(kinds[f.type]) for f in table.schema}


def build_transform_graph(
    table: pa.Table, config: TransformConfig, folder: Path
) -> tft.TFTransformOutput:
    """Analyzes `table` (plain columns) and writes the graph below `folder`."""
    schema = schema_utils.schema_from_feature_spec(raw_feature_spec(table))
    stored = examples.to_examples(table).combine_chunks()
    batches = stored.to_batches()
    adapter = tensor_adapter.TensorAdapterConfig(
        arrow_schema=stored.schema,
        tensor_representations=(
            tensor_representation_util.InferTensorRepresentationsFromMixedSchema(schema)
        ),
    )
    custom_config = {"config": config.to_json()}
    with (
        beam.Pipeline(runner="DirectRunner") as pipeline,
        tft_beam.Context(temp_dir=str(folder / "tmp"), use_deep_copy_optimization=True),
    ):
        data = pipeline | beam.Create(batches, reshuffle=False)
        transform_fn = (data, adapter) | tft_beam.AnalyzeDataset(
            lambda inputs: preprocessing_fn(inputs, custom_config)
        )
        _ = transform_fn | tft_beam.WriteTransformFn(str(folder / "graph"))
        metadata = dataset_metadata.DatasetMetadata(schema)
        _ = metadata | tft_beam.WriteMetadata(
            str(folder / "graph" / "metadata"), pipeline
        )
    return tft.TFTransformOutput(str(folder / "graph"))
