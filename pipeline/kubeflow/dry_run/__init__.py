"""A compiled pipeline run on this machine: KFP's driver and launcher, without a cluster."""
