"""Plain data access: Parquet examples and arrays."""
