"""The order of tasks: priority with ageing, newest of a key, one at a time."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from squid.utils.task import Task, TaskPriority
from squid.utils.task_queue import TaskQueue

AGEING_S = 2.0
_arrivals = st.lists(st.tuples(st.floats(0, 10), st.sampled_from(TaskPriority)), max_size=40)


def _task(name: str, priority: TaskPriority = TaskPriority.NORMAL, key: str | None = None) -> Task:
    task = Task(name, lambda: None, priority)
    task.coalesce_key = key
    return task


@given(_arrivals)
@settings(max_examples=150, deadline=None)
def test_priorities_are_never_inverted_beyond_ageing(arrivals: list[tuple[float, TaskPriority]]) -> None:
    queue, came = TaskQueue(AGEING_S, 0.0), {}
    for number, (wait, priority) in enumerate(sorted(arrivals)):
        task = _task(str(number), priority)
        came[task] = wait
        queue.put(task, wait)
    order = []
    while (task := queue.pop(100.0)) is not None:
        order.append(task)
    assert len(order) == len(arrivals)
    for earlier, later in pairwise(order):
        head_start = (earlier.priority - later.priority) * AGEING_S
        assert came[later] - came[earlier] >= head_start - 1e-9


def test_the_newest_of_a_key_takes_the_turn_of_the_older() -> None:
    queue = TaskQueue(AGEING_S, 1.0)
    first, other, second = _task("a", key="view"), _task("b"), _task("a", key="view")
    assert queue.put(first, 0.0) is None
    queue.put(other, 0.1)
    assert queue.put(second, 0.2) is first
    assert len(queue) == 2
    assert queue.pop(0.3) is second
    assert queue.pop(0.3) is other


def test_a_key_runs_one_at_a_time_and_not_too_often() -> None:
    queue = TaskQueue(AGEING_S, 1.0)
    tasks = [_task("a", key="view") for _ in range(4)]
    queue.put(tasks[0], 0.0)
    assert queue.pop(0.0) is tasks[0]
    queue.put(tasks[1], 0.1)
    assert queue.put(tasks[2], 0.2) is tasks[1]
    assert queue.pop(0.3) is None
    assert queue.open_time("view") == 1.0
    queue.release("view", 1.0)
    assert queue.pop(1.0) is tasks[2]
    queue.release("view", 2.0)
    queue.put(tasks[3], 2.0)
    assert queue.pop(2.0) is tasks[3]


def test_a_removed_task_leaves_no_trace() -> None:
    queue = TaskQueue(AGEING_S, 1.0)
    waiting, shut = _task("a", key="view"), _task("a", key="view")
    queue.put(waiting, 0.0)
    assert queue.remove(waiting)
    assert not queue.remove(waiting)
    queue.put(shut, 0.0)
    assert queue.pop(0.0) is shut
    queue.put(waiting, 0.1)
    assert queue.remove(waiting)
    queue.release("view", 1.0)
    assert queue.pop(1.0) is None
    assert len(queue) == 0
