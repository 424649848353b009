"""Rows of one moment come together and go apart again."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer.export.same_moments import SameMoments

# Rows 0, 2, 3, 5 are of one moment, 1 and 4 differ from it in one input each.
INPUTS = {
    "user": tf.constant(["a", "b", "a", "a", "a", "a"]),
    "history": tf.constant([["x", ""]] * 4 + [["", "x"], ["x", ""]]),
    "time": tf.constant([[7, 0]] * 6, tf.int64),
}
CANDIDATES = tf.constant([[f"{row}l", f"{row}r"] for row in range(6)])


def test_groups_hold_the_rows_that_are_equal_in_every_input() -> None:
    groups = SameMoments(INPUTS, most=3)
    # Three fit into a group: the last row of "a" begins another.
    assert groups.first(INPUTS["user"]).numpy().tolist() == [b"a", b"a", b"b", b"a"]
    pads = [b"", b""]
    assert groups.side_by_side(CANDIDATES).numpy().tolist() == [
        [b"0l", b"0r", b"2l", b"2r", b"3l", b"3r"],
        [b"5l", b"5r", *pads, *pads],
        [b"1l", b"1r", *pads, *pads],
        [b"4l", b"4r", *pads, *pads],
    ]


def test_what_is_found_side_by_side_goes_back_to_its_row() -> None:
    groups = SameMoments(INPUTS, most=3)
    back = groups.apart(groups.side_by_side(CANDIDATES))
    np.testing.assert_array_equal(back, CANDIDATES)


def test_nothing_is_no_group() -> None:
    nothing = SameMoments({name: value[:0] for name, value in INPUTS.items()})
    assert nothing.first(INPUTS["user"]).shape == [0]
    assert nothing.side_by_side(CANDIDATES[:0]).shape == [0, 2]
    assert nothing.apart(tf.zeros([0, 2])).shape == [0, 2]


def test_inputs_without_width_count_as_equal() -> None:
    inputs = INPUTS | {"history": tf.zeros([6, 0], tf.string)}
    assert SameMoments(inputs).side_by_side(CANDIDATES).shape == [2, 10]
