"""MineSearches: search pages → rows for the search ranker."""
