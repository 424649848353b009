"""Names that the compiler writes into a spec and the containers read back."""

from __future__ import annotations

# Tasks of our own beside the pipeline's components.
PREPARE, LAST_BLESSED, ON_EXIT = "Prepare", "LastBlessed", "OnExit"
DAG = "souk-dag"  # all tasks but the exit handler
REPORT = "Report"

# Run parameters.
HOME, SHOP, SOURCE, DATA = "home", "shop", "source", "data"
SEED, TEST_START, GATES = "seed", "test_start", "gates"
DEFAULT_HOME = "/souk"  # where the volume is mounted
# Constants of Prepare: what the pipeline was compiled for.
COMPILED_CONFIG, COMPILED_TABLES = "compiled_config", "compiled_tables"
COMPILED_CHOICES, REFIT = "compiled_choices", "refit"

# Outputs of Prepare, inputs of the tasks that depend on them.
ROOT = "souk_root"  # folder of the shop below the home, on the volume
SETTINGS = "settings"  # its artifact: the outputs as a file
# Newest pushed and measured version, "" before the first.
SERVED_VERSION = "served_version"

# Stand in string parameters for what only the run knows; a step fills them in.
ROOT_TOKEN, RUN_TOKEN = "${souk_root}", "${souk_run}"

RUNS = "runs"  # below the root: a folder of step records and kept files per run
# Of an output that holds nothing (no model was blessed yet): metadata, and a file,
# since an empty folder cannot be uploaded.
ABSENT, ABSENT_FILE = "souk_absent", "ABSENT"


def fingerprint_of(name: str) -> str:
    """Output of Prepare that changes with the content of a file or a preset."""
    return f"{name}_fingerprint"
