"""`souk query suggest` on a home with a pushed lexicon; no server is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from components.bundle.lexicon import build_lexicon
from core.config.suggest import LexiconConfig
from core.errors import ArtifactError
from core.layout import HomeLayout
from core.lexicon import LEXICON_PATH
from pipeline.cli import main
from pipeline.suggest import load_suggester, search_past
from shops import Shop, write_tables
from shops.simulated import simulate


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate("tiny")


@pytest.fixture(scope="module")
def home(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    layout = HomeLayout(tmp_path_factory.mktemp("home"), "tiny")
    write_tables(shop, layout.tables)
    version = layout.serving / "1700000000"
    build_lexicon(
        shop.tables.items,
        shop.tables.events,
        as_of=shop.splits.test_start,
        config=LexiconConfig(),
    ).save(version / LEXICON_PATH)
    (version / "saved_model.pb").touch()
    return layout.home


def run(home: Path, *arguments: str) -> str:
    result = CliRunner().invoke(
        main, ["query", "suggest", *arguments, "--home", str(home)]
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_completions_are_printed(home: Path) -> None:
    assert "cat litter" in run(home, "cat li")
    assert "(corrected)" in run(home, "cat liter")
    assert "no completion" in run(home, "zzzzqq")


def test_own_queries_come_first(home: Path, shop: Shop) -> None:
    at = shop.splits.test_start
    events = shop.tables.events.to_pandas()
    typed = events[events["query"].notna() & (events["timestamp"] < at)]
    newest = typed.sort_values("timestamp").iloc[-1]
    past = search_past(shop.tables, newest["user_id"], at)

    assert past.queries[-1] == newest["query"]
    assert len(set(past.queries)) == len(past.queries)
    lines = run(home, "", "--user", newest["user_id"], "-k", "3").splitlines()
    assert lines[2].split()[1:] == [*newest["query"].split(), "history"]


def test_a_stranger_has_no_past(shop: Shop) -> None:
    past = search_past(shop.tables, "nobody", shop.splits.test_start)

    assert (past.queries, past.categories) == ((), ())


def test_a_shop_without_a_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="souk run tiny"):
        load_suggester(HomeLayout(tmp_path, "tiny"))
