from __future__ import annotations

import pyarrow as pa
import pytest

from benchmarks.search_systems import (
    Request,
    bm25s_system,
    moments_of,
    requests_of,
    served_system,
    tantivy_system,
)
from tests.components import search_world, small_world

ITEMS = pa.table(
    {
        "item_id": ["a", "b", "c"],
        "title": ["Red enamel jug", "Blue mugs, two", "白色 保温杯"],
        "brand": ["Nordal", None, "Kaito"],
    }
)
REQUESTS = [
    Request("enamel jug"),
    Request("nordal"),
    Request("submarine"),
    Request(""),
    Request("保温杯"),
]
FOUND = [["a"], ["a"], [], [], ["c"]]


def test_bm25s_answers_with_what_matches():
    pytest.importorskip("bm25s")
    system = bm25s_system(ITEMS, ("title", "brand"))
    assert system(REQUESTS) == FOUND
    plural = bm25s_system(ITEMS, ("title",), ours=True)
    assert plural([Request("mug")]) == [["b"]]


def test_tantivy_answers_with_what_matches():
    pytest.importorskip("tantivy")
    system = tantivy_system(ITEMS, ("title", "brand"))
    assert system(REQUESTS) == FOUND
    assert system([Request("mug"), Request('a AND ) NOT ("')]) == [["b"], []]


def test_tantivy_tolerates_an_edit_where_asked():
    pytest.importorskip("tantivy")
    typed = [Request("enmael"), Request("blue")]
    assert tantivy_system(ITEMS, ("title",))(typed) == [[], ["b"]]
    assert tantivy_system(ITEMS, ("title",), edits=True)(typed) == [["a"], ["b"]]


def test_requests_survive_the_way_through_a_table():
    requests = [
        Request("tea", "u1", 9, (("i", "view", 3), ("j", "cart", 4)), (("c", "x"),)),
        Request("red"),
    ]
    again = requests_of(moments_of(requests, ("c",)), ("c",))
    assert again == [requests[0], requests[1]._replace(context=(("c", ""),))]


def test_the_served_bundle_answers_with_its_pages(tmp_path):
    model = search_world.save_fake_search(tmp_path)
    system = served_system(model, small_world.items_table(), ("country",))
    found = system([Request("tea", "u1", 5, (("item-01", "view", 2),)), Request("mug")])
    assert found == [["item-03", "item-07", "item-00"], []]
