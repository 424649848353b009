"""What a search benchmark asks, and what is right, for each kind of shop."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow.compute as pc

from benchmarks.known_item import known_items
from benchmarks.search_systems import Request, System, requests_of
from components.evaluate_search.bm25 import TEXT_COLUMNS, item_texts
from components.evaluate_search.searches import (
    judged_searches,
    logged_searches,
    search_counts,
)
from core import features
from core.metrics import Grades
from core.metrics.query_classes import (
    HEAD,
    QUERY_CLASSES,
    TAIL,
    QueryClassifier,
    head_queries,
)
from shops.shop import Shop

K = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """M requests, their truths and classes, and the figures to print of each truth.

    Attributes:
      title: what is asked.
      requests: [M].
      truths: name → what is right.
      metrics: truth → metrics of `core.metrics.search_metrics`, the first leads.
      classes: [M] classes of each request's query.
      class_order: in which order classes are printed.
      references: systems that know the truth.
    """

    title: str
    requests: list[Request]
    truths: dict[str, Grades]
    metrics: dict[str, tuple[str, ...]]
    classes: list[frozenset[str]]
    class_order: tuple[str, ...] = QUERY_CLASSES
    references: dict[str, System] = dataclasses.field(default_factory=dict)


def task_of(shop: Shop, *, max_searches: int) -> Task:
    """The task that fits the shop's tables: a known truth, judgments, or titles."""
    if shop.world is not None:
        return simulated_task(shop, max_searches)
    if shop.tables.judgments is not None:
        return judged_task(shop)
    return known_item_task(shop, max_searches // 4)


def judged_task(shop: Shop) -> Task:
    """Human judgments; the requests have no user."""
    items, judgments = shop.tables.items, shop.tables.judgments
    assert judgments is not None
    searches = judged_searches(judgments, items.column(features.ITEM_ID).to_pylist())
    grades = searches.truths["graded"]
    rules = QueryClassifier(
        item_texts(items, (features.TITLE,)), texts=item_texts(items, TEXT_COLUMNS)
    )
    best = [
        grades.rows[mine][grades.values[mine] == grades.values[mine].max()]
        for mine in (grades.searches == m for m in range(grades.num_searches))
    ]
    return Task(
        title=f"{grades.num_searches} judged queries, {len(grades.rows):,} judgments",
        requests=requests_of(searches.moments),
        truths=dict(searches.truths),
        metrics={
            "graded": (f"ndcg@{K}", f"judged@{K}", f"ndcg_judged@{K}", f"mrr@{K}")
        },
        classes=[
            rules.classes(query, rows)
            for query, rows in zip(searches.queries, best, strict=True)
        ],
    )


def known_item_task(shop: Shop, per_kind: int) -> Task:
    """Synthetic queries made from titles (benchmarks/known_item.py)."""
    titles = item_texts(shop.tables.items, (features.TITLE,))
    made = known_items(titles, per_kind=per_kind)
    pairs = [(m, row) for m, query in enumerate(made) for row in query.rows]
    numbers, rows = np.array(pairs).T
    grades = Grades.from_pairs(
        numbers, rows, np.ones(len(rows)), len(made), len(titles)
    )
    kinds = tuple(dict.fromkeys(query.kind for query in made))
    return Task(
        title=f"{len(made):,} known-item queries made from titles (SYNTHETIC)",
        requests=[Request(query.query) for query in made],
        truths={"known item": grades},
        metrics={"known item": (f"mrr@{K}", f"recall@{K}")},
        classes=[frozenset({query.kind}) for query in made],
        class_order=kinds,
    )


def simulated_task(shop: Shop, max_searches: int) -> Task:
    """The test period's searches, against the true gain of the person who searched."""
    world = shop.world
    assert world is not None
    ids = shop.tables.items.column(features.ITEM_ID).to_pylist()
    events, start = shop.tables.events, shop.splits.test_start
    is_past = pc.less(events.column(features.TIMESTAMP), start)
    past, test = events.filter(is_past), events.filter(pc.invert(is_past))
    context = shop.config.context_features
    searches = logged_searches(
        past, test, ids, context=context, max_searches=max_searches, used_only=False
    )
    requests = requests_of(searches.moments, context)
    queries = searches.queries
    people = [request.user_id for request in requests]
    times = [request.timestamp for request in requests]
    gain = world.search_gain(people, queries, ids, at=times)
    relevance = np.stack([world.relevance(query, ids) for query in queries])
    head = head_queries(search_counts(past))

    def oracle(asked: object) -> list[list[str]]:
        return world.oracle_search_page(people, queries, 100, at=times)

    return Task(
        title=f"{len(queries):,} searches of the test period",
        requests=requests,
        truths={
            "true clicks": _dense(gain.click),
            "true purchases": _dense(gain.purchase),
            "query's grade": _dense(relevance.astype(np.float64)),
            "clicked in the log": searches.truths["clicked"],
        },
        metrics={
            "true clicks": (f"ndcg@{K}",),
            "true purchases": (f"ndcg@{K}",),
            "query's grade": (f"ndcg@{K}",),
            "clicked in the log": (f"ndcg@{K}", f"mrr@{K}"),
        },
        classes=[
            world.query_class(query) | {HEAD if query in head else TAIL}
            for query in queries
        ],
        references={"oracle (true clicks)": oracle},
    )


def _dense(values: np.ndarray) -> Grades:
    """Grades of the entries above 0 of [M, n]."""
    searches, rows = np.nonzero(values > 0)
    return Grades.from_pairs(searches, rows, values[searches, rows], *values.shape)
