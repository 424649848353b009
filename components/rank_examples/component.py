"""RankExamples: test moments + items + events → TFRecord Examples for Evaluator."""

from pathlib import Path

from tfx.components.util import examples_utils
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_artifacts

from components.evaluate_funnel.read import TEST_SPLIT, read_test_set
from components.evaluate_funnel.slices import slice_labels
from components.rank_examples.sample import sample_candidates
from components.rank_examples.write import write_rank_examples
from core.config import ShopConfig
from core.config.evaluation import EvaluationConfig
from core.progress import counted, say


@component
def RankExamples(
    moments: InputArtifact[standard_artifacts.Examples],
    items: InputArtifact[standard_artifacts.Examples],
    events: InputArtifact[standard_artifacts.Examples],
    examples: OutputArtifact[standard_artifacts.Examples],
    shop: Parameter[str],
    config: Parameter[str],
) -> None:
    """Writes the split `test`: one tf.Example per (moment, sampled candidate).

    Args:
      moments: Examples with a split `test`.
      items: the cleaned catalogue.
      events: the cleaned events, all splits.
      examples: output; gzipped TFRecords, one split `test`, at most
        `EvaluationConfig.max_rank_examples` rows.
      shop: ShopConfig as JSON.
      config: EvaluationConfig as JSON.
    """
    shop_config = ShopConfig.from_json(shop)
    evaluation = EvaluationConfig.from_json(config)
    test_set = read_test_set(
        moments.uri, items.uri, events.uri, shop_config, evaluation
    )
    candidates = sample_candidates(
        test_set,
        negatives=evaluation.rank_negatives,
        max_rows=evaluation.max_rank_examples,
        seed=evaluation.seed,
    )
    count = write_rank_examples(
        test_set,
        slice_labels(test_set, shop_config, evaluation),
        candidates,
        Path(artifact_utils.get_split_uris([_split(examples)], TEST_SPLIT)[0]),
        max_history=evaluation.rank_max_history,
    )
    say("RankExamples", f"{counted(count, 'row')}, {int(candidates[2].sum())} positive")


def _split(examples: standard_artifacts.Examples) -> standard_artifacts.Examples:
    examples.split_names = artifact_utils.encode_split_names([TEST_SPLIT])
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(examples, "tfrecords_gzip")
    return examples
