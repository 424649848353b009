"""One real run of a shop with items and judgments and no events at all."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from core.errors import InvalidRequestError
from core.layout import HomeLayout
from pipeline.suggest import load_suggester
from serving.client import SoukClient
from serving.embedded import EmbeddedServer
from tests.pipeline import runs

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

COLOURS = ("red", "blue", "green", "white", "yellow")
THINGS = ("enamel jug", "tea mug", "wool scarf", "desk lamp", "oak shelf", "steel pan")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 items, every colour of every thing; three judged queries."""
    folder = tmp_path_factory.mktemp("files") / "words"
    folder.mkdir()
    items = [
        f"{colour[0]}{number},{colour} {thing},a {thing} for the house,Nordal"
        for number, thing in enumerate(THINGS)
        for colour in COLOURS
    ]
    head = "item_id,title,description,brand"
    (folder / "items.csv").write_text("\n".join([head, *items]) + "\n")
    # The text encoder of a shop this small knows little; words find these alone.
    judged = ["red enamel jug,r0,2", "red enamel jug,r5,0", "red enamel jug,y3,0"]
    judged += ["green wool scarf,g2,2", "oak shelf white,w4,2"]
    (folder / "judgments.csv").write_text("\n".join(["query,item_id,grade", *judged]))
    (folder / "shop.yaml").write_text(
        "name: tiny\nitems: {file: items.csv}\njudgments: {file: judgments.csv}\n"
    )
    return folder


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> HomeLayout:
    return HomeLayout(tmp_path_factory.mktemp("home"), "words")


@pytest.fixture(scope="module")
def first(folder: Path, layout: HomeLayout) -> subprocess.CompletedProcess[str]:
    done = runs.souk("run", str(folder), home=layout.home)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_steps_that_need_events_are_not_there(first) -> None:
    assert set(runs.components(first.stdout)) == {
        "IngestItems",
        "IngestJudgments",
        "Clean",
        "StatisticsItems",
        "InferSchemaItems",
        "CurateSchemaItems",
        "ValidateItems",
        "GateItems",
        "ItemNeighbours",
        "TextEncoder",
        "SearchBundle",
        "EvaluateSearch",
        "SearchGates",
        "Pusher",
        "Report",
    }
    walks = [
        "IngestItems Clean StatisticsItems InferSchemaItems CurateSchemaItems",
        "CurateSchemaItems ValidateItems GateItems TextEncoder SearchBundle",
        "IngestJudgments EvaluateSearch",
        "GateItems ItemNeighbours SearchBundle",
        "SearchBundle EvaluateSearch SearchGates Pusher Report",
    ]
    runs.assert_order(first.stdout, walks)


def test_the_run_ends_with_a_page_of_the_most_judged_query(first) -> None:
    assert 'search "red enamel jug"' in first.stdout
    assert first.stdout.index("red enamel jug", first.stdout.index("title"))
    assert first.stderr == ""


def test_the_gates_held_search_against_bm25(first, layout) -> None:
    (path,) = layout.tfx.glob("SearchGates/verdicts/*/verdicts.json")
    found = json.loads(path.read_text("utf-8"))
    gates = {verdict["gate"]: verdict for verdict in found["verdicts"]}
    assert found["blessed"]
    assert not gates["search holds the level of bm25"]["skipped"]
    assert gates["answers its warm-up requests in the model server"]["passed"]
    assert gates["is fast enough"]["value"] > 0


def test_the_report_says_why_quality_is_not_there(first, layout) -> None:
    html = layout.report.read_text("utf-8")
    assert "the shop has no events" in html
    assert "The shop has no events." in html  # of the searches that people made
    assert "Judgments" in html and "BM25, all text" in html


def test_the_served_model_searches_and_has_nothing_personal(first, layout) -> None:
    with EmbeddedServer(layout.serving) as server:
        with SoukClient(server.grpc_target) as client:
            page = client.search("red enamel jug", k=5)
            like = client.similar("r0", k=5)
            unknown = client.similar("no such item", k=5)
            with pytest.raises(
                InvalidRequestError, match="embed_item, embed_query, search, similar"
            ):
                client.recommend(user_id="anyone")
        asked = runs.souk(
            "query", "search", "green tea mug", "--shop", "words",
            "--target", server.grpc_target, home=layout.home,
        )  # fmt: skip
    assert page.item_ids[0] == "r0"
    assert "r0" not in like.item_ids and len(like.item_ids) == 5
    assert len(unknown.item_ids) == 0
    assert asked.returncode == 0, asked.stderr
    assert "green tea mug" in asked.stdout
    completed = load_suggester(layout).suggest("enam", k=3)
    assert any("enamel" in each.text for each in completed)


def test_an_unchanged_shop_comes_from_the_cache(first, folder, layout) -> None:
    again = runs.souk("run", str(folder), home=layout.home)
    assert again.returncode == 0, again.stdout + again.stderr
    ran = {name for name, cached in runs.components(again.stdout).items() if not cached}
    assert ran == {"Pusher", "Report"}  # what they leave may be gone by now
    assert len(runs.versions(layout)) == 1  # the same bundle is not pushed twice
