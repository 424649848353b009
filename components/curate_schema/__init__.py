"""An inferred schema becomes one that a person may edit and that later runs keep."""
