"""Where the time of a loop goes."""

from conversation import Clock

from services.phases import Phases


def test_the_time_between_two_ends_belongs_to_the_second():
    clock = Clock()
    phases = Phases("idle", "busy", clock=clock)
    clock.advance(1.0)
    phases.end("idle")
    clock.advance(0.5)
    phases.end("busy")
    clock.advance(0.25)
    phases.end("idle")
    assert phases.seconds == {"idle": 1.25, "busy": 0.5}


def test_what_is_before_the_beginning_belongs_to_none():
    clock = Clock()
    phases = Phases("busy", clock=clock)
    clock.advance(9.0)
    phases.begin()
    clock.advance(1.0)
    phases.end("busy")
    assert phases.seconds == {"busy": 1.0}
