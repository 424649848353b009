"""The lexicon of a constructed shop, and of real ones."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.bundle.lexicon import build_lexicon, read_events
from core import features
from core.config.suggest import LexiconConfig
from core.lexicon import Lexicon, Term, Word
from serving.suggest import Suggester
from shops.simulated import simulate
from tests.components.bundle.test_query_log import DAY, events
from trainer.data.examples import write_split

CONFIG = LexiconConfig(half_life_days=10.0)
AS_OF = 100 * DAY
ITEMS = pa.table(
    {
        "item_id": ["m", "n", "j", "c"],
        "title": [
            "Red Christmas mugs",
            "Blue mug",
            "French enamel jug",
            "不锈钢 保温杯",
        ],
        "category": ["Kitchen > Mugs", "Kitchen > Mugs", "Kitchen > Jugs", None],
        "brand": ["Acme", None, "Acme", None],
        "description": ["Dishwasher proof", None, None, None],
    }
)


def search(user: str, query: str, event: str = "click", day: int = 90) -> tuple:
    return (user, f"s-{user}-{query}", event, "m", query, day)


def by_word(lexicon: Lexicon) -> dict[str, Word]:
    return {word.word: word for word in lexicon.words}


def build(*rows: tuple, config: LexiconConfig = CONFIG) -> Lexicon:
    return build_lexicon(ITEMS, events(list(rows)), as_of=AS_OF, config=config)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    people = [f"u{i}" for i in range(8)]
    return build(
        *[search(user, "red mug") for user in people],
        *[search(user, "beaker") for user in people[:3]],  # a synonym
        search("u1", "mug for anna smith"),  # one person's own
        *[search(user, "blue jug", "view") for user in people[:2]],  # led nowhere
        *[search(user, "enamel jug", day=101) for user in people],  # later
    )


def test_words_and_terms_count_items_and_searches(lexicon: Lexicon) -> None:
    words = by_word(lexicon)

    # red mug 8, mug for anna smith 1.
    assert words["mug"] == Word("mug", "mug", 1, 9)
    assert words["mugs"] == Word("mugs", "mug", 2, 0)  # a title, and both categories
    assert words["christmas"] == Word("christmas", "christma", 1, 0)
    assert words["保温杯"] == Word("保温杯", "", 1, 0)
    terms = {term.term: term for term in lexicon.terms}
    assert terms["mug"] == Term("mug", 2, 9)
    assert terms["温杯"] == Term("温杯", 1, 0)
    assert terms["dishwasher"].items == 1


def test_synonyms_become_words_and_what_one_person_typed_does_not(
    lexicon: Lexicon,
) -> None:
    words = by_word(lexicon)

    assert words["beaker"] == Word("beaker", "beaker", 0, 3)
    assert "anna" not in words


def test_a_misspelling_of_many_stays_one_while_the_word_is_far_more_frequent() -> None:
    common = [search(f"u{i}", "christmas mug") for i in range(20)]
    wrong = [search(f"v{i}", "chrismtas mug") for i in range(4)]

    # (1 item + 20 searches) / 4 = 5.25
    assert "chrismtas" not in by_word(build(*common, *wrong))
    strict = CONFIG.replace(misspelling_ratio=6.0)
    assert "chrismtas" in by_word(build(*common, *wrong, config=strict))


def test_only_what_several_people_typed_with_success_is_suggested(
    lexicon: Lexicon,
) -> None:
    queries = {query.query: query for query in lexicon.queries}

    assert {"red mug", "beaker"} <= set(queries)
    for hidden in ("mug for anna smith", "blue jug", "enamel jug"):
        assert hidden not in queries
    assert (queries["red mug"].users, queries["red mug"].clicks) == (8, 8)
    assert queries["red mug"].weight == pytest.approx(8 * 2 * 0.5)
    assert queries["red mug"].category == "Kitchen > Mugs"


def test_pairs_come_from_titles_and_suggested_queries(lexicon: Lexicon) -> None:
    pairs = {(pair.first, pair.second): pair.count for pair in lexicon.pairs}

    assert pairs["red", "mug"] == 8
    assert pairs["french", "enamel"] == 1
    assert pairs["不锈钢", "保温杯"] == 1
    assert ("anna", "smith") not in pairs


def test_titles_categories_and_brands_weigh_what_happened(lexicon: Lexicon) -> None:
    phrases = {(p.text, p.kind): p for p in lexicon.phrases}

    # Clicks on item m before day 100: 8 + 3 + 1, each 10 days old.
    assert phrases["Red Christmas mugs", "title"].weight == pytest.approx(6.0)
    assert phrases["Mugs", "category"].weight == pytest.approx(6.0)
    assert phrases["Mugs", "category"].category == "Kitchen > Mugs"
    assert phrases["Kitchen", "category"].category == "Kitchen"
    assert phrases["Acme", "brand"].weight == pytest.approx(6.0)
    assert phrases["不锈钢 保温杯", "title"].weight == 0.0
    assert not any(text == "" for text, _ in phrases)


def test_limits_keep_the_most_popular() -> None:
    rows = [search(u, q) for q in ("red mug", "jug") for u in ("u1", "u2")]
    small = CONFIG.replace(max_queries=1, max_titles=1, max_pairs=2)
    lexicon = build(*rows, search("u3", "red mug"), config=small)

    assert [query.query for query in lexicon.queries] == ["red mug"]
    assert [p.text for p in lexicon.phrases if p.kind == "title"] == [
        "Red Christmas mugs"
    ]
    assert len(lexicon.pairs) == 2


def test_a_shop_with_titles_alone() -> None:
    items = ITEMS.select(["item_id", "title"])
    log = events([search("u", "x")]).drop(["query", "session_id"]).slice(0, 0)
    lexicon = build_lexicon(items, log, as_of=AS_OF, config=CONFIG)

    assert lexicon.queries == ()
    suggester = Suggester(lexicon)
    assert suggester.correct("frnech").text == "french"
    assert suggester.suggest("fre")[0].text == "French enamel jug"
    assert suggester.suggest("不")[0].text == "不锈钢 保温杯"


def test_events_are_read_from_all_splits(tmp_path: Path) -> None:
    log = events([search("u1", "mug"), search("u2", "jug")])
    write_split(str(tmp_path), "train", log.slice(0, 1))
    write_split(str(tmp_path), "test", log.slice(1))

    found = read_events(str(tmp_path), CONFIG)
    assert found.column("query").to_pylist() == ["mug", "jug"]
    assert found.num_rows == 2


@pytest.fixture(scope="module")
def retail(shared_data: Path) -> Suggester:
    rows = pq.read_table(
        shared_data / "online_retail" / "online_retail.parquet",
        columns=["StockCode", "Description"],
    ).to_pandas()
    titles = rows.dropna().drop_duplicates("StockCode")
    items = pa.table(
        {
            "item_id": titles["StockCode"].astype(str).to_list(),
            "title": titles["Description"].astype(str).to_list(),
        }
    )
    log = events([search("u", "x")]).slice(0, 0)
    return Suggester(build_lexicon(items, log, as_of=AS_OF, config=CONFIG))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("frnech enamel jug", "french enamel jug"),
        ("wite hanging hart", "white hanging heart"),
        ("tlight holder", "t light holder"),
        ("t light holder", "t light holder"),
        ("chrismas tre", "christmas tree"),
        ("regency teacup and saucr", "regency teacup and saucer"),
        ("lunchbox", "lunch box"),
        ("jumbo bag red retrospot", "jumbo bag red retrospot"),
    ],
)
def test_real_titles_correct_real_words(
    retail: Suggester, query: str, expected: str
) -> None:
    assert retail.correct(query).text == expected


def test_no_real_title_is_ever_corrected(retail: Suggester, shared_data: Path) -> None:
    path = shared_data / "online_retail" / "online_retail.parquet"
    table = pq.read_table(path, columns=["StockCode", "Description"]).to_pandas()
    titles = table.dropna().drop_duplicates("StockCode")["Description"]

    assert [t for t in titles if retail.correct(t).changed] == []


def test_people_of_a_simulated_shop_find_their_queries() -> None:
    shop = simulate("tiny")
    lexicon = build_lexicon(
        shop.tables.items,
        shop.tables.events,
        as_of=shop.splits.test_start,
        config=LexiconConfig(),
    )
    suggester = Suggester(lexicon)

    assert max(q.last_seen for q in lexicon.queries) < shop.splits.test_start
    assert min(q.users for q in lexicon.queries) >= 2
    assert features.QUERY in shop.tables.events.column_names
    assert "cat litter" in [c.text for c in suggester.suggest("cat")]
    chinese = [q.query for q in lexicon.queries if "\u4e00" <= q.query[0] <= "\u9fff"]
    assert chinese
    for query in chinese:
        assert query in [c.text for c in suggester.suggest(query[:2], k=20)]
        assert not suggester.correct(query).changed
