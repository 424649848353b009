"""Clean events become item tables, one set per cut-off."""
