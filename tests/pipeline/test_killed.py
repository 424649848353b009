"""A run killed within a component: what is served stays, the next completes."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.layout import HomeLayout
from tests.pipeline import runs

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

KILLED_IN = ("Clean", "JoinHistory", "Retriever", "Ranker", "Pusher")


@pytest.mark.timeout(1500)
def test_killed_runs_leave_the_served_version_and_the_next_one_resumes(
    tmp_path: Path,
) -> None:
    layout = HomeLayout(tmp_path, "tiny")
    served = layout.serving / "1700000000"
    served.mkdir(parents=True)
    (served / "saved_model.pb").write_bytes(b"what is served")
    before = runs.fingerprint(served)
    for component in KILLED_IN:
        runs.kill_in(component, layout)
        assert runs.fingerprint(served) == before
        complete = [v for v in runs.versions(layout) if v != served]
        assert all((v / "souk.json").is_file() for v in complete)
    last = runs.souk("run", "tiny", home=layout.home)
    assert last.returncode == 0, last.stdout + last.stderr
    cached = runs.components(last.stdout)
    # What had finished before a kill was not done again.
    assert cached["Clean"] and cached["JoinHistory"] and cached["Retriever"]
    assert cached["MineNegatives"] and cached["Ranker"] and cached["Bundle"]
    assert runs.fingerprint(served) == before
    assert len(runs.versions(layout)) == 2
