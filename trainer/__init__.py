"""A tensor becomes another tensor: preprocessing, models, losses, fitting, export.

TFRS, TF-MOT and TF Transform need tf-keras in place of Keras 3; the switch has to be
set before TensorFlow is first imported, so it stands here, once; likewise the kernels
of NumPy's linear algebra.
"""

import os

from core.processor import choose_blas_kernels

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
# Its C++ side reports as errors what is none (CUDA libraries registered twice); what
# does go wrong comes as an exception.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
choose_blas_kernels()
