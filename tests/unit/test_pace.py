"""An even pace, whatever drawing takes."""

from srl.runner.pace import Pace


def test_drawing_is_part_of_the_interval():
    pace = Pace(100)
    assert [pace.due_ms(now) for now in (1000, 1130, 1210, 1390)] == [1100, 1200, 1300, 1400]


def test_who_is_late_does_not_hurry_afterwards():
    pace = Pace(100)
    assert [pace.due_ms(now) for now in (1000, 5000, 5010)] == [1100, 5000, 5100]
