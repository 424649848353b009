"""The candidate funnel: as-of item tables, candidate sources, features."""
