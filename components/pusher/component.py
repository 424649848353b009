"""Pusher whose versions are complete before they are visible."""

from pathlib import Path

from tfx.components import Pusher
from tfx.dsl.components.base import executor_spec
from tfx.proto import pusher_pb2
from tfx.types import BaseChannel

from components.pusher.executor import HOLD, AtomicExecutor


class AtomicPusher(Pusher):  # type: ignore[misc]
    """Stock Pusher with an executor that copies aside, syncs and renames.

    Outputs: `pushed_model` (PushedModel).
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(AtomicExecutor)

    def __init__(
        self,
        model: BaseChannel,
        model_blessing: BaseChannel,
        serving_dir: str | Path,
        *,
        hold: bool = False,
    ) -> None:
        """
        Args:
          model: Model channel of the bundle.
          model_blessing: ModelBlessing channel of the gates.
          serving_dir: folder that the model server watches (HomeLayout.serving).
          hold: a blessed model is accepted, but not pushed: its refit will be.
        """
        super().__init__(
            model=model,
            model_blessing=model_blessing,
            push_destination=pusher_pb2.PushDestination(
                filesystem=pusher_pb2.PushDestination.Filesystem(
                    base_directory=str(serving_dir)
                )
            ),
            custom_config={HOLD: True} if hold else None,
        )
