"""Bundles asked by Beam workers answer as the same bundles asked here."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest

from components.evaluate_funnel import ask_in_beam, asked
from components.evaluate_funnel.bundle_client import BundleClient
from components.evaluate_funnel.evaluate import make_views
from components.evaluate_funnel.read import read_test_set
from components.evaluate_funnel.test_set import TestSet
from core.config.evaluation import EvaluationConfig
from core.errors import ArtifactError
from tests.components import small_world
from tests.components.small_world import ITEM_IDS, SHOP

CONFIG = EvaluationConfig(k_values=(3, 20), primary_k=3, batch_size=2)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(small_world.save_fake_bundle(tmp_path_factory.mktemp("bundle")))


@pytest.fixture(scope="module")
def test_set(tmp_path_factory: pytest.TempPathFactory) -> TestSet:
    uris = small_world.write_examples(tmp_path_factory.mktemp("examples"))
    return read_test_set(uris["moments"], uris["items"], uris["events"], SHOP, CONFIG)


def later(
    bundle: Path, test_set: TestSet, folder: Path
) -> dict[str, ask_in_beam.AskedBundle]:
    return ask_in_beam.load_later(
        {"bundle": bundle},
        test_set.items,
        folder,
        batch_size=CONFIG.batch_size,
        page_length=CONFIG.page_length,
    )


def test_workers_give_what_the_bundle_gives_here(
    bundle: Path,
    test_set: TestSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ask_in_beam, "_BATCHES", 1)  # elements of two moments
    views = make_views(test_set)
    bundles = later(bundle, test_set, tmp_path)
    found = asked.ask_in_beam(bundles, test_set, views, tmp_path, beam.Pipeline())
    parts = list((tmp_path / "bundle" / "all").glob("part-*.parquet"))
    assert len(parts) == -(-test_set.num_moments // 2) > 1
    client = BundleClient(bundle, ITEM_IDS, batch_size=2)
    here = asked.ask_bundle(client, test_set, views, 20)
    for view in views:
        np.testing.assert_array_equal(
            found["bundle"].pages[view.name], here.pages[view.name]
        )
    pages = [each.examples(test_set, 2) for each in (found["bundle"], here)]
    assert pages[0] == pages[1]  # with scores and reasons
    assert found["bundle"].seconds > 0


def test_a_worker_loads_a_bundle_once(
    bundle: Path, test_set: TestSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    real = BundleClient.__init__

    def counted(self: BundleClient, *given: object) -> None:
        loaded.append(given)
        real(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(BundleClient, "__init__", counted)
    bundles = later(bundle, test_set, tmp_path)
    held = bundles["bundle"].client()
    views = make_views(test_set)
    asked.ask_in_beam(bundles, test_set, views, tmp_path, beam.Pipeline())
    assert held is bundles["bundle"].client()
    assert len(loaded) == 1


def test_an_answer_that_is_not_there_is_an_error(
    bundle: Path, test_set: TestSet, tmp_path: Path
) -> None:
    views = make_views(test_set)
    bundles = later(bundle, test_set, tmp_path)
    asked.ask_in_beam(bundles, test_set, views, tmp_path, beam.Pipeline())
    with pytest.raises(ArtifactError, match="answer each of"):
        ask_in_beam.gather(
            str(tmp_path / "bundle"), "all", test_set.num_moments + 1, 20
        )
