from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable

import pytest

from squid.utils.supervised import SupervisedTask
from squid.utils.task import current_task


class Work:
    """Does what `steps` say, one per beginning, and notes what it is told of failures."""

    def __init__(self, *steps: Callable[[], object], again: int = 100, silence_s: float = 30.0) -> None:
        self.begun = 0
        self.errors: list[BaseException] = []
        self.hangs: list[str] = []
        self._steps = steps
        self._again = again
        self.task = SupervisedTask("work", self._do, self._failed, self.hangs.append, silence_s)
        self.task.start()

    def _do(self) -> None:
        self.begun += 1
        self._steps[self.begun - 1]()

    def _failed(self, error: BaseException) -> bool:
        self.errors.append(error)
        return len(self.errors) <= self._again


def _raise(error: BaseException) -> Callable[[], object]:
    def fail() -> None:
        raise error

    return fail


def test_work_that_returns_is_over_and_gives_its_thread_back() -> None:
    work = Work(lambda: None)
    assert work.task.wait(10)
    assert (work.begun, work.errors) == (1, [])
    for thread in threading.enumerate():
        if thread.name.startswith("work-"):
            thread.join(10)
            assert not thread.is_alive()


@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), MemoryError(), SystemExit(1)])
def test_work_that_fails_begins_again(error: BaseException) -> None:
    work = Work(_raise(error), _raise(error), lambda: None)
    assert work.task.wait(10)
    assert (work.begun, work.errors) == (3, [error, error])


def test_work_that_fails_too_often_is_over() -> None:
    work = Work(*[_raise(OSError("gone"))] * 5, again=2)
    assert work.task.wait(10)
    assert work.begun == 3


def test_work_whose_thread_is_ended_from_outside_begins_again() -> None:
    identity: list[int] = []

    def endless() -> None:
        identity.append(threading.get_ident())
        while True:
            threading.Event().wait(0.001)

    work = Work(endless, lambda: None)
    while not identity:
        threading.Event().wait(0.001)
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(identity[0]), ctypes.py_object(SystemExit)) == 1
    assert work.task.wait(10)
    assert work.begun == 2


def test_silent_work_is_given_up_and_never_begun_beside_its_hung_thread() -> None:
    back, reported = threading.Event(), threading.Event()

    def hang() -> None:
        task = current_task()
        assert task is not None
        task.report_progress(0.0, "stores frame 7")
        reported.set()
        back.wait(30)

    work = Work(hang, silence_s=0.1)
    assert reported.wait(10)
    while not work.hangs:
        threading.Event().wait(0.001)
    assert work.hangs == ["task 'work' reported no progress for more than 0.1 s"]
    assert not work.task.wait(0.05)  # its thread is still inside
    back.set()
    assert work.task.wait(10)
    assert (work.begun, work.errors) == (1, [])


def test_a_failure_in_what_follows_a_failure_is_the_end(caplog: pytest.LogCaptureFixture) -> None:
    over = SupervisedTask("work", _raise(OSError("gone")), lambda error: 1 / 0 > 0, print, 30.0)
    over.start()
    assert over.wait(10)
    assert "ZeroDivisionError" in caplog.text
