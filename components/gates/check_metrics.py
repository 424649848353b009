"""Gates on metrics.json: baselines, the last blessed model, coverage."""

from __future__ import annotations

from typing import Any

from components.gates.verdict import Verdict, digits_apart, skipped
from core.config.gates import GatesConfig
from core.progress import counted

Metrics = dict[str, Any]
_BUNDLE = "bundle"
_LAST = "last_blessed"
_UNCOMPRESSED = "uncompressed"
_COMPRESS_LESS = (
    "Keep more (num_neighbours, kept_neurons, sparsity of CompressConfig), or run "
    "without --compress to push the bundle as it was trained."
)


def check_metrics(
    metrics: Metrics, last: Metrics | None, config: GatesConfig
) -> list[Verdict]:
    """All verdicts that metrics alone can give.

    Args:
      metrics: content of metrics.json of the candidate.
      last: content of the last blessed bundle's metrics.json, None for the first one.
        Where `metrics` holds the system `last_blessed`, measured on the same moments,
        that is compared with instead.
      config: bounds.
    """
    return [
        *(_beats(metrics, name) for name in config.must_beat),
        *_against_last(metrics, last, config),
        *_against_uncompressed(metrics, config),
        _covers(metrics, config),
    ]


def _beats(metrics: Metrics, baseline: str) -> Verdict:
    gate = f"beats {baseline}"
    name = metrics["primary_metric"]
    if baseline not in metrics["systems"]:
        return Verdict(
            gate=gate, passed=False, message=f"metrics.json has no system {baseline}."
        )
    ours = _value(metrics["systems"][_BUNDLE], name)
    theirs = _value(metrics["systems"][baseline], name)
    gain = metrics["differences"].get(baseline, {}).get("all", {}).get(name)
    span = f", difference {gain['low']:+.4f} to {gain['high']:+.4f}" if gain else ""
    digits = digits_apart(ours, theirs, 4)
    return Verdict(
        gate=gate,
        passed=ours > theirs,
        value=ours,
        bound=theirs,
        message=f"{name} {ours:.{digits}f} against {theirs:.{digits}f}{span}.",
    )


def _against_last(
    metrics: Metrics, last: Metrics | None, config: GatesConfig
) -> list[Verdict]:
    gate = "holds the last blessed model's level"
    name = metrics["primary_metric"]
    if _LAST in metrics["systems"]:
        source, system = metrics, _LAST
    elif last is not None:
        source, system = last, _BUNDLE
    else:
        return [skipped(gate, "No model was blessed before.")]
    if source["cutoff"] != metrics["cutoff"] or source["primary_metric"] != name:
        return [skipped(gate, "The last blessed model was measured on another test.")]
    overall = _fall(
        gate,
        _value(metrics["systems"][_BUNDLE], name),
        _value(source["systems"][system], name),
        config.max_drop_percent,
        name,
    )
    return [overall, *_slices(metrics, source, system, config)]


def _against_uncompressed(metrics: Metrics, config: GatesConfig) -> list[Verdict]:
    """One verdict per view; none where the bundle was not compressed."""
    percent = config.max_compression_drop_percent
    if _UNCOMPRESSED not in metrics["systems"] or percent is None:
        return []
    name = metrics["primary_metric"]
    verdicts = []
    for view, entry in metrics["systems"][_UNCOMPRESSED].items():
        before = float(entry[name]["value"])
        after = float(metrics["systems"][_BUNDLE][view][name]["value"])
        bound = before * (1.0 - percent / 100.0)
        change = 100.0 * (after / before - 1.0) if before > 0 else 0.0
        digits = digits_apart(change, -percent, 2)
        failed = "" if after >= bound else f" {_COMPRESS_LESS}"
        verdicts.append(
            Verdict(
                gate=f"compression holds {name}, {view} items",
                passed=after >= bound,
                value=after,
                bound=bound,
                message=(
                    f"{name} {after:.4f}, before compression {before:.4f} "
                    f"({change:+.{digits}f} %, at most -{percent:g} % accepted)."
                    f"{failed}"
                ),
            )
        )
    return verdicts


def _slices(
    metrics: Metrics, source: Metrics, system: str, config: GatesConfig
) -> list[Verdict]:
    name = metrics["primary_metric"]
    before = {_key(s): s for s in source["slices"]}
    verdicts = []
    for entry in metrics["slices"]:
        old = before.get(_key(entry))
        if entry["view"] != "all" or old is None:
            continue
        if entry["num_moments"] < config.min_slice_moments:
            continue
        verdicts.append(
            _fall(
                f"slice {entry['feature']} = {entry['value']}",
                entry["systems"][_BUNDLE][name]["value"],
                old["systems"][system][name]["value"],
                config.max_slice_drop_percent,
                name,
            )
        )
    return verdicts


def _fall(gate: str, ours: float, before: float, percent: float, name: str) -> Verdict:
    bound = before * (1.0 - percent / 100.0)
    change = 100.0 * (ours / before - 1.0) if before > 0 else 0.0
    digits = digits_apart(change, -percent, 1)
    return Verdict(
        gate=gate,
        passed=ours >= bound,
        value=ours,
        bound=bound,
        message=(
            f"{name} {ours:.4f}, last blessed {before:.4f} ({change:+.{digits}f} %, "
            f"at most -{percent:g} % accepted)."
        ),
    )


def _covers(metrics: Metrics, config: GatesConfig) -> Verdict:
    k = metrics["primary_metric"].partition("@")[2]
    value = _value(metrics["systems"][_BUNDLE], f"coverage@{k}")
    pages = metrics["num_moments"]["all"]
    # A few pages cannot show a large catalogue.
    room = min(1.0, pages * int(k) / max(metrics["num_items"], 1))
    bound = config.min_coverage * room
    digits = digits_apart(100 * value, 100 * bound, 1)
    share = (
        "" if room == 1.0 else f", since {counted(pages, 'page')} can show {room:.1%}"
    )
    return Verdict(
        gate="covers the catalogue",
        passed=value >= bound,
        value=value,
        bound=bound,
        message=f"{value:.{digits}%} of the catalogue shown, {bound:.{digits}%} asked "
        f"(`gates.min_coverage`){share}.",
    )


def _value(system: Metrics, name: str) -> float:
    return float(system["all"][name]["value"])


def _key(entry: Metrics) -> tuple[str, str, str]:
    return entry["feature"], entry["value"], entry["view"]
