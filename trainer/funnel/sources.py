"""Names of the candidate sources; `Candidates.sources` holds places in SOURCES."""

from __future__ import annotations

OWN = "own"  # items of the person's history
CF = "cf"  # EASE, or item cosine in big catalogues
CF_TREND = "cf_trend"  # the same times the item's recent trend
LATELY = "lately"  # EASE over purchases weighted by their age
FORECAST = "forecast"  # what buyers of an item bought in the period after
FACTORS = "factors"  # truncated SVD of the purchases
KNN = "knn"  # item cosine over a recency-weighted history
BASKET = "basket"  # taken in the same visits, lately
INTEREST = "interest"  # as `cf`, over all event types
TITLE = "title"  # similar titles
POPULAR = "popular"  # most buyers within a window
TRENDING = "trending"  # most first-time buyers lately
TOWER = "tower"  # nearest in the retriever's space

SOURCES = (
    OWN,
    CF,
    CF_TREND,
    LATELY,
    FORECAST,
    FACTORS,
    KNN,
    BASKET,
    INTEREST,
    TITLE,
    POPULAR,
    TRENDING,
    TOWER,
)
