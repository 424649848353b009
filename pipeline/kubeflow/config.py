"""What the cluster gives each step."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import yaml

from core.config.base import Config
from core.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepConfig(Config):
    """Requests of one step, which are its limits too; retries of its container."""

    cpu: float = 1.0
    memory_gb: float = 4.0
    gpus: int = 0
    gpu_type: str = "nvidia.com/gpu"
    retries: int | None = None  # None: souk's own figure

    def __post_init__(self) -> None:
        self.require(self.cpu > 0, "cpu", "> 0")
        self.require(self.memory_gb > 0, "memory_gb", "> 0")
        self.require(self.gpus >= 0, "gpus", ">= 0")
        self.require(self.retries is None or self.retries >= 0, "retries", ">= 0")


DEFAULT = "default"  # stands for every step that `steps` does not name
_RETRIES = 2
# They refuse the same data again, so they are not tried again.
_GATES = ("GateItems", "GateEvents")
# The trainers and the steps that hold a table in memory get more: room for some hundred
# thousand events, a guess and not a measurement (docs/kubeflow.md).
_STEPS: dict[str, dict[str, float | int]] = {
    "Clean": {"cpu": 2, "memory_gb": 8},
    "JoinHistory": {"cpu": 2, "memory_gb": 8},
    "ItemNeighbours": {"cpu": 2, "memory_gb": 8},
    "TextEncoder": {"cpu": 4, "memory_gb": 8},
    "Retriever": {"cpu": 4, "memory_gb": 8},
    "MineNegatives": {"cpu": 2, "memory_gb": 8},
    "MineSearches": {"cpu": 2, "memory_gb": 8},
    "Ranker": {"cpu": 4, "memory_gb": 8},
    "SearchRanker": {"cpu": 4, "memory_gb": 8},
    "Bundle": {"cpu": 2, "memory_gb": 8},
    "SearchBundle": {"cpu": 2, "memory_gb": 8},
    "EvaluateFunnel": {"cpu": 2, "memory_gb": 8},
    "EvaluateSearch": {"cpu": 2, "memory_gb": 8},
    "RankExamples": {"cpu": 1, "memory_gb": 8},
    "Evaluator": {"cpu": 2, "memory_gb": 8},
}
_GLOBAL = ("volume_claim", "cache", "steps")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClusterConfig(Config):
    """Settings of a compiled pipeline about the cluster, not about the shop."""

    # ReadWriteMany claim mounted at DEFAULT_HOME in every step; "" mounts nothing, for
    # clusters that see a shared folder otherwise (Vertex AI: home=/gcs/BUCKET/FOLDER).
    volume_claim: str = "souk-home"
    cache: bool = True
    steps: dict[str, StepConfig] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_file(cls, path: Path) -> ClusterConfig:
        """Settings from YAML; `steps` maps a step, or `default`, to its settings.

        Raises:
          ConfigError: it is not YAML, or a key or a value breaks a rule. Which steps
            there are is known where the pipeline is compiled.
        """
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeError, yaml.YAMLError) as error:
            raise ConfigError(
                f"`{path}` must be a YAML file. Received: {error}. "
                "See docs/kubeflow.md for its form."
            ) from error
        steps = values.pop("steps", {}) if isinstance(values, dict) else None
        if not isinstance(steps, dict):
            raise ConfigError(
                f"`{path}` must be a mapping of {', '.join(_GLOBAL)}, and `steps` a "
                f"mapping of step names. Received: {steps!r}. See docs/kubeflow.md."
            )
        for name, given in steps.items():
            if not isinstance(given, dict):
                raise ConfigError(
                    f"`{path}` must give each step a mapping, such as `Retriever: "
                    f"{{cpu: 8, memory_gb: 32}}`. Received: {name}: {given!r}."
                )
        parsed = {str(name): StepConfig.from_dict(g) for name, g in steps.items()}
        return cls.from_dict({**values, "steps": parsed})

    def step(self, name: str) -> StepConfig:
        """The step's settings: the file's, or `default` of the file, or ours.

        Retries that it leaves out are ours; a data gate takes none from `default`.
        """
        named = self.steps.get(name)
        ours = StepConfig.from_dict(dict(_STEPS.get(name, {})))
        found = named or self.steps.get(DEFAULT) or ours
        if found.retries is None or (name in _GATES and named is None):
            return found.replace(retries=0 if name in _GATES else _RETRIES)
        return found
