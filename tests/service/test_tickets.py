"""Waiting for answers that may never come, come late, or be an error themselves."""

from concurrent.futures import Future

import pytest

from service.tickets import EndingError, wait_for


class JustInTime(Future):
    """Is done at the moment at which somebody looks, and not before."""

    def done(self):
        if not super().done():
            self.set_result([])
        return super().done()


def test_an_answer_that_comes_just_after_a_look_is_no_error():
    late = JustInTime()
    looks = []

    def is_ending():
        looks.append(len(looks) == 1 and late.done())
        return len(looks) > 3

    assert wait_for(late, is_ending) == []


def test_an_error_is_that_error_even_if_it_is_a_timeout():
    failed = Future()
    failed.set_exception(TimeoutError("of its own"))
    with pytest.raises(TimeoutError, match="of its own"):
        wait_for(failed, lambda: False)


def test_an_end_gives_the_answer_up():
    waiting = Future()
    with pytest.raises(EndingError):
        wait_for(waiting, lambda: True)
    assert waiting.cancelled()
