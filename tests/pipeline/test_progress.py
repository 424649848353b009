import io
import logging

from rich.console import Console

from core.progress import advance, say
from pipeline.progress import ProgressHandler


def component(name: str, state: str) -> None:
    extra = {"souk_component": name, "souk_state": state}
    logging.getLogger("souk").info("Component %s is %s.", name, state, extra=extra)


def run(records: list) -> str:
    out = io.StringIO()
    console = Console(file=out, width=100)
    handler = ProgressHandler(console, num_components=2)
    logger = logging.getLogger("someone.else")
    logger.setLevel(logging.INFO)
    with handler:
        for record in records:
            record(logger)
    return out.getvalue()


def test_one_line_per_component_with_its_facts() -> None:
    shown = run(
        [
            lambda log: component("Clean", "running"),
            lambda log: advance("Clean", 1, 3, "part one"),
            lambda log: say("Clean", "10 rows in, 2 rejected"),
            lambda log: component("Clean", "finished"),
            lambda log: component("Push", "running"),
            lambda log: component("Push", "cached"),
        ]
    )
    lines = [
        line.rstrip() for line in shown.splitlines() if "Clean" in line or "/2" in line
    ]
    assert any("1/2 Clean" in x and "10 rows in, 2 rejected" in x for x in lines)
    assert any("2/2 Push" in x and "cached" in x for x in lines)


def test_other_records_are_left_alone() -> None:
    assert "noise" not in run([lambda log: log.info("noise")])


def test_two_at_once_keep_their_facts_apart() -> None:
    def said(node: str, note: str) -> None:
        extra = {"souk_step": "any", "note": note, "souk_node": node}
        logging.getLogger("souk").info("said", extra=extra)

    shown = run(
        [
            lambda log: component("Left", "running"),
            lambda log: component("Right", "running"),
            lambda log: said("Left", "left's fact"),
            lambda log: said("Right", "right's fact"),
            lambda log: component("Right", "finished"),
            lambda log: component("Left", "finished"),
        ]
    )
    right, left = (line for line in shown.splitlines() if "/2 " in line)
    assert "1/2 Right" in right and right.rstrip().endswith("right's fact")
    assert "2/2 Left" in left and left.rstrip().endswith("left's fact")


def test_a_failure_is_told_before_the_run_ends() -> None:
    shown = run(
        [
            lambda log: component("Clean", "running"),
            lambda log: component("Clean", "failed"),
        ]
    )
    assert any("1/2 Clean" in x and "failed" in x for x in shown.splitlines())
