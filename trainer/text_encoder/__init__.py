"""Words become vectors: tokenizer, BERT encoder, pretraining, fine-tuning, export.

keras-nlp and Keras 3 live here beside the tf-keras of the other models. Their models
are kept out of tf-keras ones and out of SavedModels, which hold the variables alone.
"""

import trainer  # noqa: F401  (sets TF_USE_LEGACY_KERAS before TensorFlow is imported)
