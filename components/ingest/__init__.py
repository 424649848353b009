"""Files of one table become an Examples artifact, column by column."""
