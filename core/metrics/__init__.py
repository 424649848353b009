"""Reference metrics in NumPy: ranking, catalogue, probabilities, intervals."""

from core.metrics.bootstrap import Interval, mean_interval, mean_intervals
from core.metrics.catalogue import (
    catalogue_coverage,
    exposure_gini,
    intra_list_diversity,
    mean_popularity,
    novelty,
)
from core.metrics.graded import (
    Grades,
    condensed,
    grade_matrix,
    graded_ndcg,
    judged_share,
    search_metrics,
)
from core.metrics.probability import area_under_curve, calibration_error
from core.metrics.ranking import (
    RANKING_METRICS,
    average_precision,
    f1,
    hit_rate,
    ndcg,
    precision,
    ranking_metrics,
    recall,
    reciprocal_rank,
)
from core.metrics.truth import Truth, hit_matrix

__all__ = [
    "RANKING_METRICS",
    "Grades",
    "Interval",
    "Truth",
    "area_under_curve",
    "average_precision",
    "calibration_error",
    "catalogue_coverage",
    "condensed",
    "exposure_gini",
    "f1",
    "grade_matrix",
    "graded_ndcg",
    "hit_matrix",
    "hit_rate",
    "intra_list_diversity",
    "judged_share",
    "mean_interval",
    "mean_intervals",
    "mean_popularity",
    "ndcg",
    "novelty",
    "precision",
    "ranking_metrics",
    "recall",
    "reciprocal_rank",
    "search_metrics",
]
