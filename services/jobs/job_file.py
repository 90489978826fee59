"""Job files: a Python file that says what a cluster is to train.

Either it has a function `job()` that returns a `srl.JobConfig`, or it registers one algorithm, and the environment
comes from outside. Nothing under its `if __name__ == "__main__"` is run.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.author import authored
from services.jobs.job import Job
from srl.base.rl import registration
from srl.runner.job_config import JobConfig
from srl_common.errors import UserError

if TYPE_CHECKING:
    from types import ModuleType

    from srl.base.rl.config import RLConfig

EXAMPLE = "def job(): return srl.JobConfig('Grid', Config(), timeout=600)"


def load_job(
    path: str | Path,
    env: str = "",
    timeout: float = -1,
    max_train_count: int = -1,
    seed: int | None = None,
) -> Job:
    """Return the job of a job file, with the author's files, so that it can be run where they are not.

    The file is imported into this process, and stays so: to load two files of one name takes two processes.

    `path` is the file, or the dotted name of a module that is installed, such as `services.jobs.default_job`. What is
    given besides it counts instead of what `job()` says. Limits of 0 or less are none: a job without one trains until
    it is stopped.

    Raises:
        UserError: the file is absent, cannot be read, or says nothing that can be trained; the text says what to do.
        AuthorError: an exception in the file, with its traceback.
    """
    file = _find(path)
    with authored(f"job file {file.name}"):
        before = set(registration.registered_configs())
        module = _import(file)
        config = _job_config(module, file, before, env)
        context = replace(
            config,
            env=env or config.env,
            timeout=timeout if timeout > 0 else config.timeout,
            max_train_count=max_train_count if max_train_count > 0 else config.max_train_count,
            seed=config.seed if seed is None else seed,
        ).to_context()
        assert context.env_config is not None
        name = config.name or f"{file.name}: {config.rl_config.name} in {context.env_config.name}"
        return Job.of(context, travels=True, name=name)


# --- the file


def _find(path: str | Path) -> Path:
    file = Path(path)
    if file.suffix == ".py" and file.is_file():
        return file.resolve()
    if not str(path):
        raise UserError("no job file: name a Python file that has a function job() or registers an algorithm")
    if file.is_dir() or file.is_file():
        raise UserError(f"{path} is no job file: a Python file is wanted, whose name ends in .py")
    module = None if "/" in str(path) or file.suffix == ".py" else _find_module(str(path))
    if module is None:
        raise UserError(f"there is no job file {path} (looked for in {Path.cwd()})")
    return module


def _find_module(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin is not None else None


def _import(file: Path) -> ModuleType:
    """Import a file as what another file beside it would import; a part of a package as that."""
    root, name = file.parent, file.stem
    while (root / "__init__.py").is_file():
        root, name = root.parent, f"{root.name}.{name}"
    _check_name(file, name)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
        importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except SyntaxError as error:
        raise UserError(f"{error.filename}:{error.lineno}: {error.msg}: {(error.text or '').strip()}") from None


def _check_name(file: Path, name: str) -> None:
    if "." in file.stem:
        raise UserError(f"{file}: a file with a dot in its name cannot be imported: rename it to end in .py alone")
    if name in sys.stdlib_module_names:
        raise UserError(f"{file} has the name of a module of Python itself: rename it, such as my_{name}.py")
    loaded = sys.modules.get(name)
    if loaded is not None and (other := Path(getattr(loaded, "__file__", None) or "")).resolve() != file:
        raise UserError(f"{file}: another module '{name}' ({other}) is imported here already: rename one of them")


# --- what it says


def _job_config(module: ModuleType, file: Path, before: set[str], env: str) -> JobConfig:
    function = getattr(module, "job", None)
    if callable(function):
        config = function()
        if isinstance(config, JobConfig):
            return config
        raise UserError(f"{file}: job() returned {config!r}, and a srl.JobConfig is wanted: {EXAMPLE}")
    rl_config = _only_algorithm(module, file, before)
    if not env:
        raise UserError(
            f"{file} registers '{rl_config.name}' and says no environment: give one "
            f"(srl train ENV {file.name}, srl submit {file.name} --env ENV, SRL_JOB_ENV), "
            f"or the file a function job(): {EXAMPLE}"
        )
    return JobConfig(env, rl_config)


def _only_algorithm(module: ModuleType, file: Path, before: set[str]) -> RLConfig[Any, Any]:
    """Return the configuration that the file registers, rather than one of a file that it imports."""
    known = registration.registered_configs()
    own = {name: config for name, config in known.items() if type(config).__module__ == module.__name__}
    new = {name: known[name] for name in known.keys() - before if not type(known[name]).__module__.startswith("srl.")}
    found = own or new
    if not found:
        raise UserError(
            f"{file} has neither a function job() nor a call of srl.base.rl.registration.register(...): "
            f"one of them says what to train, such as {EXAMPLE}"
        )
    if len(found) > 1:
        raise UserError(f"{file} registers {', '.join(sorted(found))}: say which with a function job(): {EXAMPLE}")
    return next(iter(found.values()))
