"""An artifact becomes another artifact: one folder per TFX component."""

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS before TFX imports TensorFlow)
