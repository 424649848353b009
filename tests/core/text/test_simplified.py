"""Traditional and simplified Chinese are read alike."""

from __future__ import annotations

import numpy as np
import pytest

from core.text.simplified import simplified_forms, simplified_points, simplify


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("手機殼", "手机壳"),
        ("保溫杯", "保温杯"),
        ("藍牙耳機", "蓝牙耳机"),
        ("運動鞋", "运动鞋"),
        ("電飯鍋", "电饭锅"),
        ("頭髮發", "头发发"),  # two characters with one simplified form
        ("薴", "苎"),  # whose simplified form has one, too
        ("コーヒー Mug 500", "コーヒー Mug 500"),
        ("", ""),
    ],
)
def test_each_character_has_one_form(traditional: str, simplified: str) -> None:
    assert simplify(traditional) == simplified
    assert simplify(simplified) == simplified
    points = np.array([*map(ord, traditional)], np.int32).reshape(1, -1)
    found = simplified_points(points)
    assert found.shape == points.shape
    assert "".join(map(chr, found[0])) == simplified


def test_no_form_has_another_and_all_are_han() -> None:
    forms = simplified_forms()
    assert len(forms) > 2_000
    assert not set(forms) & set(forms.values())
    assert all(0x4E00 <= p < 0xA000 for p in [*forms, *forms.values()])
