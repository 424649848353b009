"""Search engines of others, and the served bundle, behind one function each.

A system takes a list of `Request` and returns one list of item ids per request, best
first, as long as it likes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from components.evaluate_funnel.bundle_client import BundleClient
from components.evaluate_search.bm25 import TEXT_COLUMNS, item_texts
from core import features
from core.metrics import Truth
from core.metrics.edit_distance import allowed_edits
from core.metrics.query_classes import terms
from core.signatures import MAX_K

TITLE_AND_BRAND = (features.TITLE, features.BRAND)
_CHINESE = re.compile("[\u3400-\u9fff]")


class Request(NamedTuple):
    """One search: the words, who asks, when, and what that person did before."""

    query: str
    user_id: str = ""
    timestamp: int = 0
    history: tuple[tuple[str, str, int], ...] = ()  # item, event, time; newest last
    context: tuple[tuple[str, str], ...] = ()  # feature, value


System = Callable[[Sequence[Request]], list[list[str]]]


def lexical_systems(items: pa.Table) -> dict[str, System]:
    """bm25s and tantivy over title + brand and over all text."""
    return {
        "bm25s, title + brand": bm25s_system(items, TITLE_AND_BRAND),
        "bm25s, all text": bm25s_system(items, TEXT_COLUMNS),
        "bm25s, all text, our terms": bm25s_system(items, TEXT_COLUMNS, ours=True),
        "tantivy, title + brand": tantivy_system(items, TITLE_AND_BRAND),
        "tantivy, all text": tantivy_system(items, TEXT_COLUMNS),
        "tantivy, tolerating edits": tantivy_system(items, TEXT_COLUMNS, edits=True),
    }


def bm25s_system(
    items: pa.Table, columns: Sequence[str], *, ours: bool = False
) -> System:
    """bm25s without stop words, with its defaults (k1 1.5, b .75, Lucene's form).

    Args:
      items: the catalogue.
      columns: what is indexed.
      ours: cut texts into `core.metrics.query_classes.terms` (plurals, Chinese) and
        not into the words that bm25s finds; with Lucene's default k1 of 1.2.
    """
    import bm25s

    ids = np.array(items.column(features.ITEM_ID).to_pylist(), object)

    def cut(texts: Sequence[str]) -> list[list[str]]:
        if ours:
            return [terms(text) for text in texts]
        return bm25s.tokenize(
            list(texts), stopwords=None, return_ids=False, show_progress=False
        )

    index = bm25s.BM25(k1=1.2 if ours else 1.5, b=0.75)
    index.index(cut(item_texts(items, columns)), show_progress=False)

    def answer(requests: Sequence[Request]) -> list[list[str]]:
        pages = []
        for words in cut([request.query for request in requests]):
            known = [word for word in words if word in index.vocab_dict]
            scores = index.get_scores(known) if known else np.zeros(len(ids))
            order = np.argsort(-scores, kind="stable")
            pages.append(ids[order[: int((scores > 0).sum())]].tolist())
        return pages

    return answer


def tantivy_system(
    items: pa.Table, columns: Sequence[str], *, edits: bool = False
) -> System:
    """tantivy with its English stemmer; Chinese characters stand apart.

    Args:
      items: the catalogue.
      columns: what is indexed.
      edits: its own tolerance of mistakes: a word counts as it is, and its like count
        too: one edit away from three letters on, two from six (`allowed_edits`;
        swapped neighbours are one), Chinese as it is.
    """
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("row", stored=True)
    builder.add_text_field("text", tokenizer_name="en_stem")
    schema = builder.build()
    index = tantivy.Index(schema)
    writer = index.writer(heap_size=64_000_000, num_threads=1)
    for row, text in enumerate(item_texts(items, columns)):
        writer.add_document(tantivy.Document(row=row, text=_apart(text)))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()
    ids = items.column(features.ITEM_ID).to_pylist()
    read = (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )

    def either(text: str) -> tantivy.Query:
        parts = []
        for word in read.analyze(text):
            parts.append(tantivy.Query.term_query(schema, "text", word))
            distance = 0 if _CHINESE.match(word) else allowed_edits(word)
            if distance:
                parts.append(
                    tantivy.Query.fuzzy_term_query(
                        schema, "text", word, distance, transposition_cost_one=True
                    )
                )
        return tantivy.Query.boolean_query(
            [(tantivy.Occur.Should, part) for part in parts]
        )

    def answer(requests: Sequence[Request]) -> list[list[str]]:
        pages = []
        for request in requests:
            words = " ".join(_apart(request.query).split())
            query, _ = index.parse_query_lenient(words, ["text"])
            query = either(words) if edits else query
            hits = searcher.search(query, limit=min(1_000, len(ids))).hits
            pages.append([ids[searcher.doc(at)["row"][0]] for _, at in hits])
        return pages

    return answer


def served_system(
    model_dir: str | Path,
    items: pa.Table,
    context_features: Sequence[str] = (),
    *,
    depth: int = MAX_K,
    batch_size: int = 64,
) -> System:
    """A bundle's `search` signature.

    Args:
      model_dir: folder of the SavedModel.
      items: the catalogue.
      context_features: the shop's.
      depth: length of the pages; beyond MAX_K by asking again without what was shown.
      batch_size: requests per call.
    """
    ids = items.column(features.ITEM_ID).to_pylist()
    client = BundleClient(model_dir, ids, batch_size)

    def answer(requests: Sequence[Request]) -> list[list[str]]:
        moments = moments_of(requests, context_features)
        rows, _, _ = client.search(moments, min(depth, MAX_K))
        while rows.shape[1] < depth:
            shown = Truth.from_lists([r[r >= 0] for r in rows], len(ids))
            more, _, _ = client.search(moments, MAX_K, shown)
            if (more < 0).all():
                break
            rows = np.concatenate([rows, more], axis=1)
        return [[ids[row] for row in page[:depth] if row >= 0] for page in rows]

    return answer


def dense_system(
    model_dir: str | Path, items: pa.Table, *, depth: int = 1_000, batch_size: int = 64
) -> System | None:
    """The text encoder of a bundle alone: items by the cosine of their vectors.

    Args:
      model_dir: folder of the SavedModel.
      items: the catalogue, of which Clean must have kept every row.
      depth: length of the pages.
      batch_size: requests per call.

    Returns:
      None for a bundle without search.
    """
    import tensorflow as tf

    model = tf.saved_model.load(str(model_dir))
    funnel = getattr(model, "search_funnel", None)
    if funnel is None:
        return None
    vectors = funnel.vectors.numpy()[:, :-1]  # [d, n], Clean's order: bytes of the id
    ids = np.array(sorted(items.column(features.ITEM_ID).to_pylist(), key=str.encode))
    if len(ids) != vectors.shape[1]:
        raise ValueError(f"{vectors.shape[1]} vectors, {len(ids)} items: run it again")

    def answer(requests: Sequence[Request]) -> list[list[str]]:
        pages: list[list[str]] = []
        for start in range(0, len(requests), batch_size):
            texts = [each.query for each in requests[start : start + batch_size]]
            asked = funnel.encoder.embed_queries(tf.constant(texts)).numpy()
            best = np.argsort(-(asked @ vectors), axis=1, kind="stable")[:, :depth]
            pages.extend(ids[rows].tolist() for rows in best)
        return pages

    return answer


def fused_system(*systems: System, k: int = 60, depth: int = 200) -> System:
    """Reciprocal rank fusion, 1 / (k + rank) summed (Cormack et al., 2009)."""

    def answer(requests: Sequence[Request]) -> list[list[str]]:
        lists = [system(requests) for system in systems]
        pages = []
        for found in zip(*lists, strict=True):
            scores: dict[str, float] = {}
            for ranked in found:
                for rank, item_id in enumerate(ranked[:depth], start=1):
                    scores[item_id] = scores.get(item_id, 0.0) + 1.0 / (k + rank)
            pages.append(sorted(scores, key=lambda i: (-scores[i], i)))
        return pages

    return answer


def moments_of(
    requests: Sequence[Request], context_features: Sequence[str] = ()
) -> pa.Table:
    """The requests as moments with a column `query`."""
    lists = (
        (features.HISTORY_ITEM_IDS, pa.string()),
        (features.HISTORY_EVENTS, pa.string()),
        (features.HISTORY_TIMESTAMPS, pa.int64()),
    )
    contexts = [dict(request.context) for request in requests]
    return pa.table(
        {
            features.USER_ID: pa.array([r.user_id for r in requests], pa.string()),
            features.TIMESTAMP: pa.array([r.timestamp for r in requests], pa.int64()),
            features.QUERY: pa.array([r.query for r in requests], pa.string()),
            **{
                name: pa.array(
                    [[event[place] for event in r.history] for r in requests],
                    pa.list_(kind),
                )
                for place, (name, kind) in enumerate(lists)
            },
            **{
                name: pa.array([c.get(name, "") for c in contexts], pa.string())
                for name in context_features
            },
        }
    )


def requests_of(
    moments: pa.Table, context_features: Sequence[str] = ()
) -> list[Request]:
    """`moments_of` the other way round."""
    held = [name for name in context_features if name in moments.column_names]
    return [
        Request(
            query=row[features.QUERY],
            user_id=row[features.USER_ID],
            timestamp=row[features.TIMESTAMP],
            history=tuple(
                zip(
                    row[features.HISTORY_ITEM_IDS],
                    row[features.HISTORY_EVENTS],
                    row[features.HISTORY_TIMESTAMPS],
                    strict=True,
                )
            ),
            context=tuple((name, row[name] or "") for name in held),
        )
        for row in moments.to_pylist()
    ]


def _apart(text: str) -> str:
    """Han characters with a space around each; other signs become spaces."""
    return "".join(
        f" {c} " if "\u3400" <= c <= "\u9fff" else c if c.isalnum() else " "
        for c in text
    )
