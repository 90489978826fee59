"""Parameter: what training changes and acting reads, such as a table or the weights of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from srl.base.rl.config import DummyRLConfig, RLConfig
from srl.base.rl.hook_flags import accepted
from srl.utils.files import load_file, save_file

if TYPE_CHECKING:
    from pathlib import Path

TConfig = TypeVar("TConfig", bound=RLConfig[Any, Any])


class RLParameter(ABC, Generic[TConfig]):
    """Base of parameters. Override `setup`, `call_backup` and `call_restore`.

    In distributed training Trainer and Worker hold separate instances: only what a backup carries is shared.
    """

    def __init__(self, config: TConfig | None = None) -> None:
        self.config: TConfig = config if config is not None else cast("TConfig", DummyRLConfig())
        self.setup()

    def setup(self) -> None:
        """Prepare the parameter. `self.config` is set."""

    @abstractmethod
    def call_restore(self, data: Any, **kwargs: Any) -> None:
        """Take over what `call_backup` returned.

        Keywords: `from_serialized` (the backup was made with `serialized`), `from_worker` (it was made by
        another Worker's parameter). A method that declares none of them is called without.
        """
        raise NotImplementedError

    @abstractmethod
    def call_backup(self, **kwargs: Any) -> Any:
        """Return a copy that a later change of this parameter does not alter.

        Keywords: `serialized` (it will travel between processes), `to_worker` (it is for acting only).
        A method that declares none of them is called without.
        """
        raise NotImplementedError

    def restore(self, data: Any, from_serialized: bool = False, from_worker: bool = False) -> None:
        """Take over what `backup` returned; None leaves the parameter as it is."""
        if data is None:
            return
        flags = {"from_serialized": from_serialized, "from_worker": from_worker}
        self.call_restore(data, **accepted(self.call_restore, flags))

    def backup(self, serialized: bool = False, to_worker: bool = False) -> Any:
        """Return a copy for `restore`. None means that there is nothing to publish."""
        flags = {"serialized": serialized, "to_worker": to_worker}
        data = self.call_backup(**accepted(self.call_backup, flags))
        return None if isinstance(data, list) and not data else data

    def save(self, path: str | Path, compress: bool = True) -> None:
        """Write a backup to a file."""
        save_file(path, self.backup(), compress=compress)

    def load(self, path: str | Path) -> None:
        """Restore from a file. It unpickles: load only files that you trust as code."""
        self.restore(load_file(path))

    def summary(self, **kwargs: Any) -> None:
        """Print a description, such as the layers of a network."""

    def update_from_worker_parameter(self, worker_parameter: Any) -> None:
        """Merge what a Worker's parameter learned, once at the end of distributed training.

        Called only if `RLConfig.use_update_parameter_from_worker` returns True.
        """


class DummyRLParameter(RLParameter[RLConfig[Any, Any]]):
    """The parameter of an algorithm that learns nothing."""

    def call_restore(self, data: Any, **kwargs: Any) -> None:
        pass

    def call_backup(self, **_kwargs: Any) -> Any:
        return None
