"""What every space can do: describe values, draw them, check them, and convert them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, Self, TypeVar

import numpy as np

from srl.base.define import RLBaseTypes, SpaceTypes
from srl.base.exception import NotSupportedError, SRLError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True)
class SpaceEncodeOptions:
    """How values become numpy arrays.

    Attributes:
        cast: give arrays of `cast_dtype` instead of the dtype of the space.
        cast_dtype: name of a numpy dtype; empty is "float32".
        np_zero_start: shift integers so that the lowest is 0.
        np_norm_type: scale values from their bounds to 0..1 or -1..1.
    """

    cast: bool = False
    cast_dtype: str = ""
    np_zero_start: bool = False
    np_norm_type: Literal["", "0to1", "-1to1"] = ""


@dataclass(frozen=True)
class Encoder:
    """The way from the values of one space to the values of `space`, and back."""

    space: SpaceBase[Any]
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


class SpaceBase(ABC, Generic[T]):
    """A set of values of type T, with bounds.

    Sequence of calls for a conversion: `create_division_tbl` (only where numbers with fractions are to
    become discrete), `set_encode_space`, then `encode_to_space` and `decode_from_space` as often as needed.

    Attributes:
        division_num: into how many points numbers with fractions are divided, all axes together; 0 is unset.
        encode_to_space: turns a value of this space into one of the space that `set_encode_space` returned.
        decode_from_space: the way back.
    """

    encode_to_space: Callable[[T], Any]
    decode_from_space: Callable[[Any], T]

    def __init__(self) -> None:
        self.division_num = 0
        self._encoding: tuple[RLBaseTypes, SpaceEncodeOptions] | None = None
        self._forget_encoder()

    # --- what a space is

    @property
    def name(self) -> str:
        """The kind of space, in one word."""
        return type(self).__name__.removesuffix("Space")

    @property
    @abstractmethod
    def stype(self) -> SpaceTypes:
        """What the values mean."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """The numpy type that one value (or one element of it) fits into."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Return the constructor's arguments that make an equal space."""

    def copy(self, **override: Any) -> Self:
        """Return a new space; `override` replaces constructor arguments. The encoder is not copied."""
        return type(self)(**{**self.arguments(), **override})

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, SpaceBase):
            return False
        mine, theirs = self.arguments(), other.arguments()
        return all(np.array_equal(mine[name], theirs[name]) for name in mine)

    __hash__ = None  # type: ignore[assignment]

    @abstractmethod
    def __str__(self) -> str: ...

    def __repr__(self) -> str:
        return str(self)

    def is_value(self) -> bool:
        """Tell whether values are numbers, not pictures, text or several parts."""
        return self.stype in {SpaceTypes.DISCRETE, SpaceTypes.CONTINUOUS, SpaceTypes.UNKNOWN}

    def is_discrete(self) -> bool:
        """Tell whether the values are whole numbers."""
        return self.stype == SpaceTypes.DISCRETE

    def is_continuous(self) -> bool:
        """Tell whether the values are numbers with fractions."""
        return self.stype == SpaceTypes.CONTINUOUS

    def is_image_visual(self) -> bool:
        """Tell whether a value can be shown as a picture."""
        return SpaceTypes.is_image(self.stype)

    def is_image_like(self) -> bool:
        """Tell whether a value has the layout of a picture: height, width and perhaps channels."""
        return self.is_image_visual() or self.stype in {SpaceTypes.IMAGE_MAP, SpaceTypes.FEATURE_MAP}

    def is_multi(self) -> bool:
        """Tell whether a value is a list of values of other spaces."""
        return self.stype == SpaceTypes.MULTI

    # --- values

    @abstractmethod
    def sample(self, mask: list[T] | None = None) -> T:
        """Draw a value at random, from the generator of the module `random`.

        `mask` lists values that are not to be drawn; spaces that cannot be counted ignore it.
        Raises ValueError if the mask leaves nothing.
        """

    @abstractmethod
    def sanitize(self, val: Any) -> T:
        """Return the value of this space that is closest to `val`. Raises ValueError if none makes sense."""

    @abstractmethod
    def check_val(self, val: Any) -> bool:
        """Tell whether `val` has the type, shape and bounds of this space."""

    @abstractmethod
    def to_str(self, val: T) -> str:
        """Return a short text that is equal for equal values: a key of a table."""

    @abstractmethod
    def get_default(self) -> T:
        """Return the value that stands where there is none yet."""

    def copy_value(self, v: T) -> T:
        """Return a value that does not share memory with `v`."""
        return v

    def equal_val(self, v1: T, v2: T) -> bool:
        """Tell whether two values are the same."""
        return self.to_str(v1) == self.to_str(v2)

    def get_valid_actions(self, masks: list[T] | None = None) -> list[T]:
        """Return every value but the masked ones. Raises NotSupportedError where values cannot be counted."""
        raise NotSupportedError(f"the values of {self} cannot be counted (masked: {masks})")

    def get_onehot(self, x: T) -> list[Any]:
        """Return 0s with a 1 at the place of `x`. Raises NotSupportedError where values cannot be counted."""
        raise NotSupportedError(f"{self} has no one-hot form (value: {x})")

    # --- stacks: several values in a row as one

    @abstractmethod
    def create_stack_space(self, length: int) -> SpaceBase[Any]:
        """Return the space of `length` values in a row."""

    @abstractmethod
    def encode_stack(self, val: list[T]) -> Any:
        """Return the value of the stack space that is made of these values, oldest first."""

    # --- conversion to what an algorithm wants

    def create_division_tbl(self, division_num: int, max_size: int = 100_000, max_byte: int = 1 << 30) -> None:
        """Set how many points numbers with fractions are divided into when they become discrete.

        For several axes each gets the same number of points, at least 2, with a product near `division_num`;
        where they lie is said in srl.base.spaces.lattice. 0 or less means that ARRAY_DISCRETE rounds to whole
        numbers. Spaces of whole numbers do not need it. Points are computed, not stored, so that `max_size` and
        `max_byte`, the limits of a table, limit nothing: they are there for code that gives them.
        """
        self.division_num = division_num

    def get_encode_list(self) -> list[RLBaseTypes]:
        """Return what this space can be converted to, cheapest first."""
        from srl.base.spaces.encoders import encoders_of

        return list(encoders_of(self))

    def set_encode_space(self, required_type: RLBaseTypes, options: SpaceEncodeOptions | None = None) -> SpaceBase[Any]:
        """Choose the conversion once, and return the space that values are converted to.

        Of several types (`A | B`) the cheapest is taken; NONE means no conversion. Raises NotSupportedError,
        which says what can be changed, if this space cannot become what is required.
        """
        from srl.base.spaces.encoders import make_encoder

        options = options or SpaceEncodeOptions()
        encoder = make_encoder(self, required_type, options)
        self._encoding = (required_type, options)
        self.encode_to_space, self.decode_from_space = encoder.encode, encoder.decode
        return encoder.space

    def _forget_encoder(self) -> None:
        self.encode_to_space = self.decode_from_space = self._no_encoder

    def _no_encoder(self, _val: Any) -> NoReturn:
        raise SRLError(f"{self}: call set_encode_space(type) before a value is encoded or decoded")

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["encode_to_space"], state["decode_from_space"]  # functions do not travel
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget_encoder()
        if self._encoding is not None:
            self.set_encode_space(*self._encoding)
