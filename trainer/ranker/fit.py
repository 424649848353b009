"""The whole ranker fit: trials, choice, calibration, final fit, history."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from core.config.ranker import RankerConfig
from core.errors import ArtifactError
from core.metrics import calibration_error
from trainer.ranker import select
from trainer.ranker.calibration import Calibrator, fit_calibrator
from trainer.ranker.checkpoints import FitCheckpoints, Progress
from trainer.ranker.dataset import CandidateRows, Ints, event_rates
from trainer.ranker.epochs import Metrics, run_epochs
from trainer.ranker.judge import Judge
from trainer.ranker.model import build_ranker, event_weights, inference_copy
from trainer.ranker.normalization import Normalizer
from trainer.ranker.training import Fit
from trainer.unfit_patterns import say_unfit_features

HISTORY = "history.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FittedRanker:
    """All that the export needs."""

    model: tf_keras.Model  # normalized features [N, F] to head logits, no dropout
    architecture: str
    config: RankerConfig
    normalizer: Normalizer
    calibrators: tuple[Calibrator, ...]  # one per event type
    feature_names: tuple[str, ...]
    event_types: tuple[str, ...]
    history: dict[str, Any]


def fit_ranker(
    rows: CandidateRows,
    config: RankerConfig,
    *,
    run_dir: str | Path | None = None,
    checkpoint_dir: str | Path | None = None,
    judge: Judge | None = None,
) -> FittedRanker:
    """The ranker fitted on the newest cut-offs, chosen and calibrated on `eval`.

    Args:
      rows: mined candidates; their features are normalized in place.
      config: settings.
      run_dir: where history.json and the TensorBoard files go.
      checkpoint_dir: where each epoch's state goes; a second call with the same rows
        and settings continues from there.
      judge: of the `eval` lists; None: NDCG as the settings have it.

    Raises:
      ArtifactError: the train split has no moment with candidates.
      ConfigError: the settings do not fit the shop's event types.
    """
    return _RankerFit(rows, config, run_dir, checkpoint_dir, judge).run()


class _RankerFit:
    def __init__(
        self,
        rows: CandidateRows,
        config: RankerConfig,
        run_dir: str | Path | None,
        checkpoint_dir: str | Path | None,
        judge: Judge | None = None,
    ) -> None:
        event_weights(rows.event_types, config)  # checks the target and the weights
        tf_keras.utils.set_random_seed(config.seed)
        self._rows, self._config = rows, config
        self._judge = judge or Judge(rows, config)
        self._run_dir = Path(run_dir) if run_dir else None
        self._checkpoint_dir = Path(checkpoint_dir) if checkpoint_dir else None
        self._fingerprint = _fingerprint(rows, config)
        self._writer = (
            tf.summary.create_file_writer(str(self._run_dir)) if self._run_dir else None
        )
        self._trial_fits: dict[str, Fit] = {}
        self._train = rows.newest(rows.moments("train"), config.fit_cutoffs)
        self._eval = rows.moments("eval")
        every = rows.moments("train", "recent", "eval")
        self._final = rows.newest(every, config.fit_cutoffs)
        if not len(self._train):
            raise ArtifactError(
                "The candidates' `train` split must hold at least one moment with "
                "candidates. Received none. Add cut-offs (SplitConfig.num_cutoffs)."
            )
        rng = np.random.default_rng(config.seed)
        few = min(config.max_validation_moments, len(self._eval))
        self._validation = np.sort(rng.choice(self._eval, few, replace=False))

    def run(self) -> FittedRanker:
        rows, config = self._rows, self._config
        began = time.perf_counter()
        normalizer = Normalizer.fit(rows.features, rows.rows_of(self._train))
        ignored = config.ignored_features
        say_unfit_features("Ranker", "ignored_features", ignored, rows.feature_names)
        normalizer = normalizer.without(rows.feature_names, ignored)
        normalizer.apply_in_place(rows.features)
        prepared_s = time.perf_counter() - began
        trials = select.run_trials(
            config.architectures, self._trial, time_budget_s=config.time_budget_s
        )
        best = select.best_trial(trials)
        calibrators, validation = self._calibrate(best)
        fit = self._new_fit(best.architecture, self._final)
        epochs = best.progress.best_epoch
        final = self._run(fit, f"final-{best.architecture}", self._final, epochs)
        history = {
            "config": config.to_dict(),
            "moments": {
                "train": len(self._train),
                "eval": len(self._eval),
                "final": len(self._final),
            },
            "rows": len(rows.features),
            "trials": [_trial_record(trial) for trial in trials],
            "chosen": best.architecture,
            "validation": validation,
            "final": {"epochs": final.epochs},
            "prepare_s": prepared_s,
            "seconds": time.perf_counter() - began,
        }
        if self._run_dir:
            self._run_dir.mkdir(parents=True, exist_ok=True)
            (self._run_dir / HISTORY).write_text(json.dumps(history, indent=1))
        return FittedRanker(
            model=inference_copy(
                fit.model,
                event_types=rows.event_types,
                config=config,
                architecture=best.architecture,
            ),
            architecture=best.architecture,
            config=config,
            normalizer=normalizer,
            calibrators=calibrators,
            feature_names=rows.feature_names,
            event_types=rows.event_types,
            history=history,
        )

    def _trial(self, architecture: str) -> Progress:
        fit = self._new_fit(architecture, self._train)
        self._trial_fits[architecture] = fit
        validated = len(self._validation) > 0
        return self._run(
            fit,
            f"trial-{architecture}",
            self._train,
            self._config.epochs,
            validate=validated,
        )

    def _new_fit(self, architecture: str, moments: Ints) -> Fit:
        rows, config = self._rows, self._config
        tf_keras.utils.set_random_seed(config.seed)
        model = build_ranker(
            num_features=len(rows.feature_names),
            event_types=rows.event_types,
            config=config,
            architecture=architecture,
            event_rates=event_rates(
                rows,
                moments,
                size=config.rows_per_moment,
                rng=np.random.default_rng(config.seed),
            ),
        )
        steps = -(-len(moments) // config.moments_per_batch)
        return Fit(
            model,
            event_types=rows.event_types,
            config=config,
            total_steps=steps * config.epochs,
        )

    def _run(
        self, fit: Fit, name: str, moments: Ints, epochs: int, validate: bool = False
    ) -> Progress:
        folder = self._checkpoint_dir
        return run_epochs(
            fit,
            self._rows,
            moments,
            config=self._config,
            name=name,
            epochs=epochs,
            checkpoints=FitCheckpoints(folder / name, self._fingerprint)
            if folder
            else None,
            validate=self._validate if validate else None,
            writer=self._writer,
        )

    def _validate(self, fit: Fit) -> Metrics:
        scores, _ = fit.predict(self._rows, self._validation)
        return self._judge.metrics(self._validation, scores)

    def _calibrate(
        self, trial: select.Trial
    ) -> tuple[tuple[Calibrator, ...], dict[str, Any]]:
        """Calibrators and metrics from the trial model on every eval moment."""
        rows, method = self._rows, self._config.calibration
        if not len(self._eval):
            return tuple(Calibrator() for _ in rows.event_types), {}
        fit = self._trial_fits[trial.architecture]  # holds its best epoch's weights
        scores, logits = fit.predict(rows, self._eval)
        record: dict[str, Any] = dict(self._judge.metrics(self._eval, scores))
        sizes = np.diff(rows.starts)[self._eval]
        kept = np.repeat(self._judge.calibrates(self._eval), sizes)
        logits, labels = logits[kept], rows.labels[rows.rows_of(self._eval)][kept]
        record["calibration_error"] = {}
        calibrators = []
        for i, event in enumerate(rows.event_types):
            happened, own = labels[:, i], logits[:, i]
            calibrator = fit_calibrator(own, happened, method=method)
            calibrators.append(calibrator)
            record["calibration_error"][event] = {
                "before": calibration_error(happened, Calibrator().apply(own)),
                "after": calibration_error(happened, calibrator.apply(own)),
            }
        return tuple(calibrators), record


def _trial_record(trial: select.Trial) -> dict[str, Any]:
    return {
        "architecture": trial.architecture,
        "best_epoch": trial.progress.best_epoch,
        "metric": trial.progress.best_metric,
        "seconds": trial.seconds,
        "epochs": trial.progress.epochs,
    }


def _fingerprint(rows: CandidateRows, config: RankerConfig) -> str:
    """Equal for equal settings and (by their shape, labels and moments) equal rows."""
    digest = hashlib.sha256(config.to_json().encode())
    digest.update(json.dumps([rows.feature_names, rows.event_types]).encode())
    sample = rows.features[:: max(len(rows.features) // 1000, 1)]
    for array in (rows.starts, rows.cutoff, rows.truth_size, rows.labels, sample):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
