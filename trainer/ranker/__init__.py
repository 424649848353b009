"""The ranker: candidate rows in, a calibrated multi-task scoring model out."""
