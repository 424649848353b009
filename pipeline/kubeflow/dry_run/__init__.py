"""A compiled pipeline run here: KFP's driver and launcher without a cluster."""
