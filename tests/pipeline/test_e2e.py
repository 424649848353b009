"""One real run of the tiny shop, and what may happen to a shop after it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from rich.console import Console

import shops
from components.gates.check_serving import warmup_requests
from core import presets
from core.errors import InputDataError, NotBlessedError
from core.layout import COMPRESSION_PATH, HomeLayout
from pipeline import run as run_module
from pipeline import sources
from pipeline.local_runner import run_local
from serving.client import SoukClient
from serving.embedded import EmbeddedServer
from serving.inspect.gpus import GPUS
from serving.inspect.inspection import inspect_model
from tests.pipeline import runs
from trainer.compression.read_back import read_back

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> HomeLayout:
    return HomeLayout(tmp_path_factory.mktemp("home"), "tiny")


@pytest.fixture(scope="module")
def first(layout: HomeLayout) -> subprocess.CompletedProcess[str]:
    done = runs.souk("run", "tiny", home=layout.home)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_a_run_ends_with_a_model_a_report_and_a_page(first, layout) -> None:
    (version,) = runs.versions(layout)
    assert (version / "saved_model.pb").is_file()
    assert version.name in first.stdout
    assert "recommend for user" in first.stdout
    assert "report/index.html" in first.stdout
    # Progress is all a user sees: nothing of TensorFlow's, Beam's or TFX's own.
    assert first.stderr == ""
    assert "WARNING" not in first.stdout and "INFO" not in first.stdout


def test_components_run_in_the_documented_order(first) -> None:
    walks = [
        "IngestEvents Clean StatisticsEvents CurateSchemaEvents ValidateEvents",
        "ValidateEvents GateEvents JoinHistory TextEncoder Retriever MineNegatives",
        "MineNegatives Ranker Bundle Evaluator Gates Pusher Report",
        "JoinHistory ItemNeighbours MineNegatives",
        "JoinHistory Transform Retriever MineSearches SearchRanker Bundle",
        "Bundle EvaluateFunnel Gates",
        "Bundle EvaluateSearch Report",
    ]
    runs.assert_order(first.stdout, walks)


def test_the_report_needs_no_network(first, layout) -> None:
    html = layout.report.read_text("utf-8")
    for outside in ('src="http', 'href="http', "@import", "url(http"):
        assert outside not in html
    assert "popularity" in html and "Rejected" in html


def test_the_model_says_where_it_comes_from(first, layout) -> None:
    facts = json.loads((runs.versions(layout)[-1] / "souk.json").read_text("utf-8"))
    assert facts["as_of"] == facts["splits"]["test_start"]
    assert facts["versions"]["tensorflow"]
    assert facts["metrics"]["all"]


def test_saved_model_cli_lists_the_documented_signatures(first, layout) -> None:
    cli = Path(sys.executable).parent / "saved_model_cli"
    done = subprocess.run(
        [str(cli), "show", "--dir", str(runs.versions(layout)[-1]), "--all"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    for name in (
        "recommend",
        "search",
        "similar",
        "rank",
        "embed_query",
        "embed_item",
    ):
        assert f"signature_def['{name}']" in done.stdout
    assert "inputs['history_item_ids']" in done.stdout
    assert "outputs['item_ids']" in done.stdout


def test_the_hot_path_of_the_pushed_model_has_gpu_kernels(first, layout) -> None:
    _has_gpu_kernels(runs.versions(layout)[-1])


def _has_gpu_kernels(model: Path) -> None:
    found = inspect_model(model, GPUS["l4"], measure=False)
    fallbacks = {s.name: {row.op for row in s.fallbacks} for s in found.signatures}
    for name in ("recommend", "similar", "rank", "embed_query"):
        assert fallbacks[name] == set(), name
    # The postings: `LexicalConfig.form` = segment does without.
    assert fallbacks["search"] <= {"RaggedRange", "RaggedBincount"}


def test_souk_query_prints_titles_from_a_running_server(first, layout) -> None:
    user = pq.read_table(layout.tables / "events.parquet")["user_id"][0].as_py()
    with EmbeddedServer(layout.serving) as server:
        page = runs.souk(
            "query", "recommend", "--shop", "tiny", "--user", user,
            "--target", server.grpc_target, "-k", "5", home=layout.home,
        )  # fmt: skip
        with SoukClient(server.grpc_target) as client:
            asked = client.recommend(user_id="a stranger", k=5)
    assert page.returncode == 0, page.stderr
    titles = pq.read_table(layout.tables / "items.parquet")["title"].to_pylist()
    assert sum(title in page.stdout for title in titles) >= 3
    assert len([i for i in asked.item_ids if i]) == 5


def test_an_unchanged_shop_comes_from_the_cache(first, layout) -> None:
    again = runs.souk("run", "tiny", home=layout.home)
    assert again.returncode == 0, again.stdout + again.stderr
    ran = [name for name, cached in runs.components(again.stdout).items() if not cached]
    assert set(ran) <= {"LastBlessed", *_AFTER_THE_FIRST_BLESSING}
    assert "Retriever" not in ran and "Ranker" not in ran
    assert len(runs.versions(layout)) == 1  # the same bundle is not pushed twice


# These read the last blessed model, which the first run did not have.
_AFTER_THE_FIRST_BLESSING = {"EvaluateFunnel", "Evaluator", "Gates", "Pusher", "Report"}


def test_an_unblessed_model_is_not_pushed_and_the_report_says_why(
    first, layout
) -> None:
    before = runs.fingerprint(layout.serving)
    settings = shops.read_tables(layout.tables)
    config = presets.for_shop(settings.config, settings.splits)
    strict = config.replace(gates=config.gates.replace(max_size_mb=0.001))
    run_local(strict, layout, Console(file=io.StringIO()))
    with pytest.raises(NotBlessedError, match=r"0\.001"):
        run_module._require_accepted(layout)
    assert runs.fingerprint(layout.serving) == before
    assert "0.001" in layout.report.read_text("utf-8")


def test_a_broken_span_stops_the_run_and_the_last_model_still_serves(
    first, layout
) -> None:
    before = runs.fingerprint(layout.serving)
    path = layout.tables / "events.parquet"
    whole = path.read_bytes()
    events = pq.read_table(path)
    views = pc.equal(events["event"], "view")
    try:
        # A logging fault: every view arrives as a purchase.
        column = pc.if_else(views, "purchase", events["event"])
        place = events.column_names.index("event")
        pq.write_table(events.set_column(place, "event", column), path)
        settings = shops.read_tables(layout.tables)
        config = presets.for_shop(settings.config, settings.splits)
        with pytest.raises(InputDataError, match="event"):
            run_local(config, layout, Console(file=io.StringIO()))
    finally:
        path.write_bytes(whole)
    assert runs.fingerprint(layout.serving) == before
    with (
        EmbeddedServer(layout.serving) as server,
        SoukClient(server.grpc_target) as client,
    ):
        assert any(client.recommend(user_id="anyone", k=3).item_ids)


def test_bad_settings_exit_with_the_rule(tmp_path: Path) -> None:
    done = runs.souk("run", "no-such-shop", home=tmp_path)
    assert done.returncode == 2
    assert "no-such-shop" in done.stderr and "online-retail" in done.stderr


def test_the_pipelines_tables_are_what_the_adapter_wrote(first, layout) -> None:
    items = pq.read_table(layout.tables / "items.parquet")
    assert isinstance(items, pa.Table)
    assert shops.read_tables(layout.tables).tables.items.num_rows == items.num_rows


def test_a_compressed_bundle_is_pushed_and_answers_as_the_trained_one(
    first, layout
) -> None:
    # Last in this file: it goes on from the runs before it, and pushes a version.
    shop, splits = sources.ensure_tables(layout, "tiny", data=None, seed=0)
    config = presets.for_shop(shop, splits)
    config = config.replace(
        # The tiny preset leaves it out; bounds on it need more people than there are.
        compress=config.compress.replace(
            enabled=True,
            sparsity=("trunk_*=0.5",),
            pruning_epochs=1,
            max_ndcg_drop_percent=100.0,
            max_auc_drop=1.0,
        ),
        gates=config.gates.replace(max_compression_drop_percent=None),
    )
    run_local(config, layout, Console(file=io.StringIO()))
    newest = runs.versions(layout)[-1]
    facts = json.loads((newest / COMPRESSION_PATH).read_text("utf-8"))
    assert facts["after"]["bytes"] < facts["before"]["bytes"]
    assert {"int8", "uint8", "uint16"} <= set(facts["after"]["by_dtype"])
    assert facts["rankers"]["ranker"]["after"]["zero_share"]["trunk_0"] == 0.5
    stored = {a["name"]: a for a in read_back(newest)["arrays"]}
    kernel = next(a for name, a in stored.items() if "trunk_0_kernel_codes" in name)
    assert kernel["dtype"] == "int8"
    assert kernel["zero_share"] >= 0.5  # the pruned half, and what rounds to 0
    assert "Compression" in layout.report.read_text("utf-8")
    plain = max((layout.tfx / "Bundle/uncompressed").iterdir(), key=_number)
    _answer_alike(plain / "Format-Serving", newest)
    _has_gpu_kernels(newest)


def _number(folder: Path) -> int:
    return int(folder.name)


def _answer_alike(plain: Path, compact: Path) -> None:
    """Every signature answers in the same shapes; vectors point the same way."""
    models = [tf.saved_model.load(str(path)) for path in (plain, compact)]
    assert set(models[0].signatures) == set(models[1].signatures)
    asked = {
        name: {
            key: tf.zeros([1] * spec.shape.rank, spec.dtype)
            for key, spec in signature.structured_input_signature[1].items()
        }
        for name, signature in models[0].signatures.items()
    }
    for request in warmup_requests(compact):
        asked[request.model_spec.signature_name] = {
            key: tf.constant(tf.make_ndarray(value))
            for key, value in request.inputs.items()
        }
    for name, inputs in asked.items():
        before, after = (model.signatures[name](**inputs) for model in models)
        for key, value in before.items():
            assert after[key].shape == value.shape, name
        if "embeddings" in before:
            cosine = tf.reduce_sum(before["embeddings"] * after["embeddings"], axis=-1)
            norms = tf.norm(before["embeddings"], axis=-1)
            assert float(tf.reduce_min(cosine - 0.99 * norms)) >= 0, name
        if "item_ids" in before and name != "recommend":
            pages = [
                set(found["item_ids"].numpy().ravel()) for found in (before, after)
            ]
            # The best few may change places: half of the ranker's weights are gone.
            assert len(pages[0] & pages[1]) >= 0.8 * len(pages[0]), name
