"""A Job: what a cluster trains, as plain data that any process can rebuild it from. No pickled objects.

Its digest covers the data and the author's files: services with different ones refuse each other. A job that *travels*
has these files with it; another one is run where they can be read too, as `train_mp` does.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import types
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from services.author import is_authors
from services.jobs import job_files
from srl.base.context import RunContext
from srl.base.env import registration as env_registration
from srl.base.rl import registration as rl_registration
from srl.utils.plain_data import CLASS, TARGET, from_plain, to_plain
from srl_common import codec
from srl_common.errors import CorruptError, DecodeError, SettingError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAIN = "__main__"
MAIN_IN_CHILD = "__mp_main__"
"""What a script is called where it is loaded for its classes: the name that multiprocessing uses too."""


@dataclass(frozen=True)
class Job:
    """What to train."""

    context: dict[str, Any]
    """`RunContext.to_dict()`: environment, configuration, limits, players, seed."""
    callbacks: list[dict[str, Any]]
    algorithm: dict[str, str]
    """The name that the algorithm is registered under, and its four entry points."""
    environment: dict[str, Any]
    """How an environment that the author registered is registered elsewhere; empty for one that is found otherwise."""
    modules: list[str]
    """To import: the author's registrations are in them."""
    main_file: str
    """The script whose classes are `__main__:...`, or "": its path, in a job that travels the one in `files`."""
    main_package: str
    """The package that the script belongs to when it was started with -m, or ""."""
    sources: dict[str, str] = field(default_factory=dict)
    """By module, the sha256 of the author's file."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Of a job that travels: the author's files by relative path, see `job_files`."""
    name: str = ""
    """For people."""

    @classmethod
    def of(cls, context: RunContext, *, travels: bool = False, name: str = "") -> Self:
        """Return the job of a run; `travels`: with the author's files, to be run where they are not.

        Raises UserError for what another process could not rebuild.
        """
        if context.env_config is None or context.rl_config is None:
            raise UserError("a job needs an environment and an algorithm")
        config = context.rl_config
        algorithm = {"name": config.name, **vars(rl_registration.find_algorithm(config.name))}
        environment = env_registration.describe(context.env_config.id)
        plain, callbacks = context.to_dict(), to_plain(context.callbacks, "callbacks")
        players = rl_registration.rulebase_entry_points(context.players)
        entry_points = [*list(algorithm.values())[1:], environment.get("entry_point", ""), *players]
        modules = _modules([*entry_points, *_classes_in([plain, callbacks])])
        main_file, main_package = _main_script(config.name) if MAIN in modules else ("", "")
        files: dict[str, bytes] = {}
        if travels:
            files = job_files.collect(dict(_named_files(modules, main_file, main_package)))
            main_file = _main_path(main_file, main_package)
        name = name or f"{config.name} in {context.env_config.name}"
        return cls(
            plain, callbacks, algorithm, environment, modules, main_file, main_package, _sources(modules), files, name
        )

    @property
    def digest(self) -> str:
        """Return the sha256 (hex) of all that makes the job what it is: not its name, and no folder of this machine."""
        apart = {"name"} if self.files else {"name", "main_file"}
        data = {name: value for name, value in vars(self).items() if name not in apart}
        return hashlib.sha256(codec.pack(data)).hexdigest()

    def pack(self) -> bytes:
        """Return the job as bytes."""
        return codec.pack(vars(self))

    @classmethod
    def unpack(cls, data: bytes, digest: str) -> Self:
        """Return the job that `pack` made `data` of. Raises CorruptError when it is none, or has another digest."""
        try:
            job = cls(**codec.unpack(data))
        except (DecodeError, TypeError) as error:
            raise CorruptError(f"these bytes are no job: {error}") from error
        if job.digest != digest:
            raise CorruptError(
                f"the job has the digest {job.digest[:12]}, and {digest[:12]} was posted: submit it again, "
                "with the version of SRL that the services have"
            )
        return job

    def save(self, path: str | Path) -> None:
        """Write the job to a file."""
        Path(path).write_bytes(self.pack())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a job. Raises SettingError when the file is absent or is none."""
        if not path:
            raise SettingError("no job: set SRL_JOB to the file of a job, as Job.save writes it")
        try:
            data = codec.unpack(Path(path).read_bytes())
            job = cls(**data)
        except OSError as error:
            raise SettingError(f"SRL_JOB={path}: {error.strerror}") from error
        except (DecodeError, TypeError) as error:
            raise SettingError(f"SRL_JOB={path} is not the file of a job: {error}") from error
        return job

    def make_context(self) -> RunContext:
        """Import the author's modules and return the run's context.

        Raises UserError when one is not here, or when its file is another one.
        """
        folder = job_files.unpack(self.files) if self.files else Path()
        if self.main_file:
            _load_main(str(folder / self.main_file), self.main_package)
        for module in self.modules:
            _import(module)
        self._check_sources()
        self._register()
        context = RunContext.load(self.context)
        context.callbacks = [from_plain(callback) for callback in self.callbacks]
        return context

    def make_context_here(self) -> RunContext:
        """Return the run's context in a process that is no service: what is loaded there is not loaded again.

        Raises UserError as `make_context` does, and when the job's classes are in another script.
        """
        here = _sources(self.modules)
        if here == self.sources:
            return replace(self, files={}, main_file="").make_context()
        if self.main_file:
            raise UserError(
                f"the classes of the job are in a script that was run directly, {Path(self.main_file).name}: "
                "ask for them in that script, or put them in a module of their own"
            )
        return self.make_context()

    def is_over(self, train_count: int, elapsed_s: float) -> bool:
        """Tell whether a limit of the job is reached."""
        max_train_count, timeout_s = int(self.context["max_train_count"]), float(self.context["timeout"])
        return 0 < max_train_count <= train_count or 0 < timeout_s <= elapsed_s

    def _check_sources(self) -> None:
        here = _sources(self.modules)
        for module, digest in self.sources.items():
            found = here.get(module, "absent")
            if found != digest:
                raise UserError(
                    f"the job was made with {module} of digest {digest[:12]}, here it is {found[:12]} "
                    f"({_file_of(module)}): give all services the same file"
                )

    def _register(self) -> None:
        if not rl_registration.is_registered(self.algorithm["name"]):
            _, *entry_points = self.algorithm.values()
            config = from_plain(self.context["rl_config"])
            memory, parameter, trainer, worker = entry_points
            rl_registration.register(config, memory, parameter, trainer, worker)
        env_registration.make_known(self.environment)


def _modules(entry_points: Iterable[str]) -> list[str]:
    """Return the modules of "module:Class" names, each once; a script is `__main__`, whatever its child calls it."""
    names = [entry_point.partition(":")[0] for entry_point in entry_points if entry_point]
    return list(dict.fromkeys(MAIN if name == MAIN_IN_CHILD else name for name in names if name != "builtins"))


def _classes_in(plain: Any) -> Iterator[str]:
    """Yield the "module:Class" of all that plain data must be rebuilt with."""
    if isinstance(plain, list):
        for each in plain:
            yield from _classes_in(each)
    elif isinstance(plain, dict):
        is_class = plain.get(TARGET) == CLASS
        yield from filter(None, [plain.get("name" if is_class else TARGET)])
        yield from _classes_in(list(plain.values()))


def _main_script(algorithm: str) -> tuple[str, str]:
    """Return (file, package) of the script that this process runs."""
    file = getattr(sys.modules[MAIN], "__file__", None)
    if not file or not Path(file).is_file():
        raise UserError(
            f"the classes of '{algorithm}' are defined in an interactive session, which no other process can import: "
            "put them in a file"
        )
    return str(Path(file).resolve()), getattr(sys.modules[MAIN], "__package__", "") or ""


def _named_files(modules: Iterable[str], main_file: str, main_package: str) -> Iterator[tuple[str, Path]]:
    """Yield what the job's modules are imported under where it is run, and their files."""
    for module in modules:
        if module == MAIN:
            yield _main_name(main_file, main_package), Path(main_file)
            continue
        _import(module)  # an entry point may not have been looked at yet
        if file := _file_of(module):
            yield module, Path(file).resolve()


def _main_name(file: str, package: str) -> str:
    return f"{package}.{Path(file).stem}" if package else Path(file).stem


def _main_path(file: str, package: str) -> str:
    return job_files.relative_path(_main_name(file, package), Path(file)) if file else ""


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # the author's module is here, and imports something that is not
        raise UserError(
            f"the job needs the module '{module}', and '{error.name}' is not here: install it, or put its folder "
            "in PYTHONPATH"
        ) from error


def _file_of(module: str) -> str:
    return str(getattr(sys.modules.get(module), "__file__", "") or "")


def _sources(modules: Iterable[str]) -> dict[str, str]:
    """Return the sha256 of each author's file; the library's own files are one version by protocol."""
    found = {}
    for module in modules:
        file = _file_of(module)
        if file and is_authors(file) and Path(file).is_file():
            found[module] = _digest_of(Path(file))
    return found


def _digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def is_loading_main() -> bool:
    """Tell whether this process is a service that has loaded, or is loading, a script for its classes."""
    return sys.modules[MAIN].__name__ == MAIN_IN_CHILD  # multiprocessing gives any main module this second name


def _load_main(file: str, package: str) -> None:
    """Load a script for its classes: all of it but what stands under `if __name__ == "__main__"`."""
    if getattr(sys.modules.get(MAIN_IN_CHILD), "__file__", None) == file:
        return
    module = types.ModuleType(MAIN_IN_CHILD)
    module.__file__ = file
    module.__package__ = package
    sys.modules[MAIN_IN_CHILD] = sys.modules[MAIN] = module
    exec(compile(Path(file).read_bytes(), file, "exec"), module.__dict__)  # noqa: S102  the author's own script
