"""Whose exception is it, and in which hook: told from the traceback."""

import json
import sys
import traceback
from functools import partial
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "process"))

import misbehaving

import services
import srl
import srl_common
from services.author import authored, explain, is_authors
from services.hosting.endpoints import Endpoints
from srl.algorithms import ql
from srl.base.env.registration import make
from srl.base.exception import UndefinedError
from srl.base.rl.memory import RLMemory
from srl_common import codec
from srl_common.errors import EXIT_AUTHOR, AuthorError, SettingError, UserError
from srl_common.messages import Call, Form, Role


def raised(call):
    """Return what `call` raises, without this test's own steps in its traceback."""
    try:
        call()
    except Exception as error:  # noqa: BLE001  whatever it is
        return error.with_traceback(error.__traceback__.tb_next)
    return pytest.fail("nothing was raised")


def applying(memory, endpoint="add", *args):
    """Return what calls a worker function as the Memory's host does."""
    return Endpoints(memory).bind(Role.ACTOR, Call(1, endpoint, Form.CALLS, 1, [(args, {})], (0, 0)))


class Author(RLMemory):
    """An author's Memory whose functions fail in all the ways there are."""

    def setup(self):
        self.register_worker_func(self.add)
        self.register_worker_func(self.add_deep)
        self.register_worker_func(self.add_through_library)
        self.register_worker_func(self.add_through_ours)
        self.register_worker_func(self.use_badly)

    def add(self):
        raise ZeroDivisionError("by zero")

    def add_deep(self):
        self.helper()

    def helper(self):
        self.add()

    def add_through_library(self):
        json.loads("{}", object_hook=lambda _: self.add())

    def add_through_ours(self):
        applying(self, "add")()

    def use_badly(self):
        make("Gird")


def test_the_hook_and_the_service_are_named_and_the_traceback_begins_with_the_author():
    error = explain(raised(applying(Author())), "memory")
    assert isinstance(error, AuthorError)
    assert (error.service, error.hook, error.exit_code) == ("memory", "Author.add", EXIT_AUTHOR)
    assert str(error).startswith("Author.add failed in the memory:\nTraceback (most recent call last):\n")
    assert "ZeroDivisionError: by zero" in error.traceback_text
    assert Path(__file__).name in error.traceback_text
    assert "endpoints.py" not in error.traceback_text


@pytest.mark.parametrize("hook", ["add_deep", "add_through_library"])
def test_the_hook_is_what_we_called_not_what_it_called(hook):
    error = explain(raised(applying(Author(), hook)), "memory")
    assert error.hook == f"Author.{hook}"
    assert "in add\n" in error.traceback_text


def test_a_hook_that_a_hook_reaches_through_us_is_the_one():
    error = explain(raised(applying(Author(), "add_through_ours")), "learner")
    assert error.hook == "Author.add"
    assert "in add_through_ours\n" in error.traceback_text, "the way there is shown"


def test_our_error_that_an_author_provoked_is_the_authors():
    error = explain(raised(applying(Author(), "use_badly")), "actor-0")
    assert (type(error), error.hook) == (AuthorError, "Author.use_badly")
    assert "UndefinedError: there is no environment 'Gird'" in error.traceback_text


@pytest.mark.parametrize("hook", ["Memory.add", "Memory.serialize"])
def test_a_module_of_an_author(hook):
    memory = misbehaving.Memory(misbehaving.Config(raises_in=hook))
    worker = memory.get_worker_funcs()["add"]
    call = partial(worker.apply, (b"",)) if hook == "Memory.add" else partial(worker.serialize, (1,), {})
    error = explain(raised(call), "memory")
    assert (error.hook, "misbehaving.py" in error.traceback_text) == (hook, True)


def test_a_built_in_algorithm_is_written_as_an_author_would():
    error = explain(raised(partial(ql.Trainer.train, None)), "learner")
    assert (type(error), error.hook) == (AuthorError, "Trainer.train")


def test_a_users_mistake_that_we_report_is_the_users():
    error = explain(raised(partial(make, "Gird")), "actor-0")
    assert type(error) is UserError
    assert str(error).startswith("there is no environment 'Gird'")


@pytest.mark.parametrize("kind", [AssertionError, UndefinedError])
def test_so_is_an_assertion(kind):
    error = explain(kind("set max_episodes"), "actor-0")
    assert (type(error), str(error)) == (UserError, "set max_episodes")


def test_a_bug_of_ours_stays_what_it_is():
    bug = raised(partial(codec.frame_table, None))
    assert isinstance(bug, TypeError)
    assert explain(bug, "memory") is bug


def test_an_error_of_the_cluster_stays_what_it_is_though_it_came_through_an_author():
    class Passing(Author):
        def add(self):
            raise SettingError("SRL_X")

    error = raised(applying(Passing()))
    assert explain(error, "memory") is error


def test_around_all_of_the_work():
    with pytest.raises(UserError, match="as it is") as caught, authored("memory"):
        raise UserError("as it is")
    assert caught.value.__cause__ is None
    with pytest.raises(AuthorError, match="Author.add failed in the memory") as caught, authored("memory"):
        applying(Author())()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with authored("memory"):
        pass


def test_an_author_who_exits_ends_the_job_and_not_only_the_service():
    class Leaving(Author):
        def add(self):
            sys.exit(0)

    with pytest.raises(AuthorError, match=r"Leaving.add failed in the memory:") as caught, authored("memory"):
        applying(Leaving())()
    assert str(caught.value).endswith("SystemExit: 0")


@pytest.mark.parametrize(
    ("file", "whose"),
    [
        (__file__, True),
        (misbehaving.__file__, True),
        (ql.__file__, True),
        (f"{Path(srl.__file__).parent}_experiments/mine.py", True),
        (f"{Path(services.__file__).parent}_of_mine/x.py", True),
        (srl.__file__, False),
        (srl_common.__file__, False),
        (services.__file__, False),
        (f"{Path(srl.__file__).parent}/algorithms/../base/define.py", False),
        (np.__file__, False),
        (traceback.__file__, False),
        (json.__file__, False),
        ("<frozen importlib._bootstrap>", False),
        ("<string>", False),
    ],
)
def test_whose_code_is_in_a_file(file, whose):
    assert is_authors(file) is whose
