"""Which step runs next: the DAG, its configuration, runners and the souk command."""

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS before TFX imports TensorFlow)
