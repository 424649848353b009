"""Search metrics of the bundle, by class of query, beside BM25 of the same run."""
