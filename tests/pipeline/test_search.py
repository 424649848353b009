"""`souk query search` asks a running server; the lexicon lies beside its model."""

from __future__ import annotations

import io
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

import shops
from components.bundle.lexicon import build_lexicon
from core.config.suggest import LexiconConfig
from core.errors import ArtifactError, ModelUnavailableError
from core.layout import HomeLayout
from core.lexicon import LEXICON_PATH
from pipeline.cli import main
from pipeline.pages import ShopTables, print_page
from serving.client import SoukClient
from serving.small_bundle import save_small_bundle
from tests.serving.running import RunningServer

MAPPING = """
items: {file: items.csv}
events: {file: events.csv}
event: purchase
timestamp: s
context: [country]
splits: {test_start: 8640000, horizon_days: 7, num_cutoffs: 3}
"""
ITEMS = """item_id,title,description,price
f1,French Enamel Jug,,9.5
f2,Jug Enamel French,,11
f3,White Jug Enamel French,,12
e1,Enamel Jug,in blue,7
e2,Enamel Mug,,4
b1,Cream Tin [blue],,3
c1,不锈钢 保温杯 500ml,,25
c2,红色 保温杯,,19.99
k1,Frnech Kettle,,31
k2,Frnech Kettle Red,,32
k3,Frnech Kettle Tall,,33
"""
# The last one happened after test_start: no history of a request at that time.
EVENTS = """user_id,item_id,timestamp,country
anna,e2,100,FR
anna,c2,200,FR
anna,f1,8640001,FR
"""
NUM_OF_LEXICON = 8  # the brand Frnech came later


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> HomeLayout:
    """The home of a shop with a pushed small model and a lexicon."""
    folder = tmp_path_factory.mktemp("files")
    for name, text in (
        ("shop.yaml", MAPPING),
        ("items.csv", ITEMS),
        ("events.csv", EVENTS),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    shop = shops.load("tables", data=folder)
    layout = HomeLayout(tmp_path_factory.mktemp("home"), "gifts")
    shops.write_tables(shop, layout.tables)
    items = shop.tables.items
    titles = {row["item_id"]: row["title"] for row in items.to_pylist()}
    layout.serving.mkdir(parents=True)
    version = save_small_bundle(layout.serving / "1700000000", titles=titles, seed=1)
    build_lexicon(
        items.slice(0, NUM_OF_LEXICON),
        shop.tables.events,
        as_of=shop.splits.test_start,
        config=LexiconConfig(),
    ).save(version / LEXICON_PATH)
    return layout


@pytest.fixture(scope="module")
def server(layout: HomeLayout) -> Iterator[RunningServer]:
    with RunningServer(layout.serving) as server:
        yield server


@pytest.fixture
def ask(layout: HomeLayout, server: RunningServer) -> Asking:
    return Asking(layout, server)


class Asking:
    """`souk query` against the running server."""

    def __init__(self, layout: HomeLayout, server: RunningServer) -> None:
        self._layout, self._server = layout, server

    def result(self, *arguments: str, target: str = "") -> Result:
        target = target or self._server.grpc_target
        places = ["--home", str(self._layout.home), "--target", target]
        return CliRunner().invoke(main, ["query", *arguments, *places])

    def __call__(self, *arguments: str) -> list[str]:
        """The lines that it prints."""
        result = self.result(*arguments)
        assert result.exit_code == 0, result.output
        return result.output.splitlines()


def ids(lines: list[str]) -> list[str]:
    """Item ids of a printed page, in its order."""
    rows = [line.split() for line in lines]
    return [row[1] for row in rows if row and row[0].isdigit()]


def scores(lines: list[str]) -> list[float]:
    """The last column of a printed page."""
    return [float(line.split()[-1]) for line in lines if line[:1].isdigit()]


def test_a_page_has_titles_reasons_prices_and_scores(ask: Asking) -> None:
    lines = ask("search", "French Enamel Jug", "--exclude", "f1")

    first = 'search "French Enamel Jug" for a stranger (0 events of history)'
    assert lines[0] == first
    assert lines[1].split() == ["item", "title", "reason", "price", "score"]
    # the small model puts items with more of the words first
    assert set(ids(lines)[:2]) == {"f2", "f3"}
    assert ids(lines)[2:] == ["e1", "e2"]
    row = next(line for line in lines if " f2 " in line)
    assert "Jug Enamel French" in row
    assert "matches your words" in row
    assert "11.00" in row.split()
    assert 3 <= scores([row])[0] <= 4  # three words and a probability


def test_the_history_of_the_tables_goes_with_the_query(
    ask: Asking, server: RunningServer
) -> None:
    lines = ask("search", "jug", "--user", "anna")

    assert lines[0] == 'search "jug" for user anna (2 events of history)'
    with SoukClient(server.grpc_target) as client:
        history = [("e2", "purchase", 100), ("c2", "purchase", 200)]
        personal = client.search("jug", user_id="anna", history=history, timestamp=300)
        stranger = client.search("jug")
    assert ids(lines) == personal.item_ids
    assert scores(lines) == pytest.approx(personal.scores, abs=5e-4)
    assert scores(ask("search", "jug")) == pytest.approx(stranger.scores, abs=5e-4)
    assert personal.scores != pytest.approx(stranger.scores, abs=2e-3)


def test_a_server_of_another_shop_is_noticed(
    ask: Asking, layout: HomeLayout, server: RunningServer, tmp_path: Path
) -> None:
    """Tables of the shop `other` have none of the items that the server has."""
    other = HomeLayout(tmp_path, "other")
    shutil.copytree(layout.tables, other.tables)
    path = other.tables / "items.parquet"
    items = pq.read_table(path)
    ids = pa.array([f"x{n}" for n in range(items.num_rows)])
    pq.write_table(items.set_column(0, items.schema.field(0), ids), path)
    strangers = Asking(other, server)("recommend", "--user", "anna", "--shop", "other")

    assert strangers[1].startswith("No item of this page is in the tables of other:")
    own = ask("recommend", "--user", "anna", "--shop", "gifts")
    assert not any("No item of this page" in line for line in own)


def test_a_poor_page_of_a_misspelt_query_gives_way(ask: Asking) -> None:
    lines = ask("search", "frnech enamel jug")

    assert lines[0].startswith('search "frnech enamel jug" for a stranger')
    assert lines[1] == 'showing results for "french enamel jug"'
    assert set(ids(lines)[:3]) == {"f1", "f2", "f3"}


def test_a_good_page_is_never_rewritten(ask: Asking) -> None:
    known = ask("search", "french enamel jug")
    unknown = ask("search", "frnech kettle")

    assert not any("showing" in line or "did you mean" in line for line in known)
    # three items hold both words, though the lexicon knows neither
    assert unknown[1] == 'did you mean "french kettle"?'
    assert set(ids(unknown)[:3]) == {"k1", "k2", "k3"}


def test_words_of_descriptions_count_for_a_page(
    layout: HomeLayout, ask: Asking
) -> None:
    tables = ShopTables(layout, ())

    assert tables.text("e1").splitlines() == ["Enamel Jug", "", "", "in blue"]
    assert tables.text("absent") == ""
    # `blue` is in the description of e1 alone: its corrected page holds all the words
    assert ask("search", "enamle jug blue")[1] == (
        'showing results for "enamel jug blue"'
    )


@pytest.mark.parametrize("query", ["", "  ", "of the", "!?"])
def test_a_query_without_words_prints_one_line(ask: Asking, query: str) -> None:
    quoted = f'"{query.strip()}"'

    assert ask("search", query) == [
        f"search {quoted} has no words to look for: an empty page."
    ]


def test_nothing_found_is_said(ask: Asking) -> None:
    lines = ask("search", "xyzzy[/b] [red]")

    assert lines == [
        'search "xyzzy[/b] [red]" for a stranger (0 events of history): an empty page.'
    ]


def test_brackets_of_titles_are_printed(ask: Asking) -> None:
    assert any("Cream Tin [blue]" in line for line in ask("search", "cream"))


def test_chinese_queries_find_and_print_aligned_tables(ask: Asking) -> None:
    lines = ask("search", "保温杯")

    assert lines[0].startswith('search "保温杯" for a stranger')
    assert set(ids(lines)) == {"c1", "c2"}
    starts = {cells(line.partition("matches")[0]) for line in lines[2:]}
    assert starts == {cells(lines[1].partition("reason")[0])}


def test_columns_are_aligned_for_wide_characters(layout: HomeLayout) -> None:
    console = Console(file=io.StringIO(), width=60)
    item_ids = ["c1", "f1", "b1"]
    print_page(
        console,
        ShopTables(layout, ()),
        title="保温杯",
        item_ids=item_ids,
        scores=[0.5, 0.25, 0.125],
        reasons=["popular"] * 3,
    )

    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 5
    # 1 digit, `item`, and 3 * 2 + 1 + 3 * 2 + 6 cells of 不锈钢 保温杯 500ml, 2 between
    assert {cells(line.rstrip()) for line in lines[1:]} == {cells(lines[1].rstrip())}
    assert {cells(line.partition("popular")[0]) for line in lines[2:]} == {3 + 6 + 21}


def test_recommend_and_similar_print_as_before(ask: Asking) -> None:
    recommended = ask("recommend", "--user", "anna", "-k", "4")
    like = ask("similar", "f1", "-k", "2")

    assert recommended[0] == "recommend for user anna (2 events of history)"
    assert len(ids(recommended)) == 4
    assert like[0] == "similar to f1 (French Enamel Jug)"
    assert len(ids(like)) == 2


def test_errors_say_what_to_do(ask: Asking, tmp_path: Path) -> None:
    away = ask.result("search", "jug", target="127.0.0.1:9")
    home = ["--home", str(tmp_path)]
    nothing = CliRunner().invoke(main, ["query", "search", "jug", *home])

    assert away.exit_code == ModelUnavailableError.exit_code
    assert nothing.exit_code == ArtifactError.exit_code
    assert "souk run" in nothing.output


def cells(text: str) -> int:
    """Terminal cells of a text: Unicode's wide and full-width characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
