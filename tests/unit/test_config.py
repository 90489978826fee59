from __future__ import annotations

import copy
import logging
from dataclasses import dataclass, field
from typing import Any

import counting_env
import numpy as np
import probe_rl
import pytest

import srl
from srl.base.define import RLBaseTypes, SpaceTypes
from srl.base.exception import NotSupportedError
from srl.base.rl.config import DummyRLConfig, RLConfig
from srl.base.rl.processor import Processor, RLProcessor
from srl.base.spaces.box import BoxSpace
from srl.base.spaces.discrete import DiscreteSpace
from srl.base.spaces.space import SpaceEncodeOptions
from srl.utils.plain_data import to_plain
from srl.utils.usage import UsageError


@dataclass
class Part:
    size: int = 3
    log: list[str] = field(default_factory=list, init=False)

    def validate_params(self) -> None:
        if self.size < 0:
            raise ValueError("Part.size is negative")


@dataclass
class Full(DummyRLConfig):
    part: Part = field(default_factory=Part)
    shape: tuple[int, ...] = (1, 2)
    table: dict[str, Any] = field(default_factory=dict)
    base: RLBaseTypes = RLBaseTypes.DISCRETE | RLBaseTypes.BOX
    anything: Any = None

    def setup_from_env(self, env: Any) -> None:
        self.met = env.name


@dataclass
class Plus(RLProcessor):
    """Adds to every state."""

    amount: int = 10

    def remap_observation_space(self, prev_space: Any, **_kwargs: Any) -> Any:
        return DiscreteSpace(prev_space.n + self.amount)

    def remap_observation(self, state: int, _prev: Any, new_space: Any, **kwargs: Any) -> int:
        assert isinstance(new_space, DiscreteSpace)
        assert set(kwargs) == {"env_run", "rl_config"}
        return state + self.amount


class Refuses(RLProcessor):
    def remap_observation_space(self, prev_space: Any, **_kwargs: Any) -> Any:
        return None


def set_up(**fields: Any) -> tuple[probe_rl.Config, Any]:
    config, env = probe_rl.Config(**fields), srl.make_env("Counting")
    config.setup(env)
    return config, env


def test_setup_settles_spaces_and_conversions() -> None:
    config, env = set_up()
    assert config.is_setup()
    assert (config.observation_space, config.action_space) == (DiscreteSpace(100), DiscreteSpace(5))
    assert config.observation_space_one_step == config.observation_space_of_env == DiscreteSpace(100)
    assert config.action_space_of_env == DiscreteSpace(5)
    assert config.observation_type == config.action_type == RLBaseTypes.DISCRETE
    assert config.state_encode_one_step(7, env) == 7
    assert config.action_decode(config.action_encode(3)) == 3
    assert config.request_env_render == ""
    assert config.name == "Probe"


def test_setup_happens_once() -> None:
    config, env = set_up()
    binding = config.binding
    config.setup(env)
    assert config.binding is binding


def test_before_setup_there_are_no_spaces() -> None:
    config = probe_rl.Config()
    for name in ("observation_space", "action_space", "observation_type", "obs_render_img_space"):
        with pytest.raises(UsageError, match=r"has not met an environment yet. Call setup\(env\)"):
            getattr(config, name)


def test_spaces_may_be_given_by_hand() -> None:
    config = probe_rl.Config()
    config.set_observation_space(DiscreteSpace(2))
    config.set_action_space(DiscreteSpace(3))
    assert (config.observation_space, config.action_space) == (DiscreteSpace(2), DiscreteSpace(3))


@pytest.mark.parametrize("base", ["array_discrete", "ARRAY_DISCRETE", RLBaseTypes.ARRAY_DISCRETE])
def test_override_types(base: Any) -> None:
    config, env = set_up(override_observation_type=base, override_action_type=base)
    assert config.observation_type == config.action_type == RLBaseTypes.ARRAY_DISCRETE
    assert config.state_encode_one_step(7, env) == [7]
    assert config.action_decode([3]) == 3


def test_of_several_types_the_cheapest_is_taken() -> None:
    class Either(probe_rl.Config):
        def get_base_observation_type(self) -> RLBaseTypes:
            return RLBaseTypes.BOX | RLBaseTypes.DISCRETE

    config = Either()
    config.setup(srl.make_env("Counting"))
    assert config.observation_type == RLBaseTypes.DISCRETE


def test_none_of_several_types_fits() -> None:
    from srl.base.rl.encoding import Choice, choose_type

    choice = Choice(RLBaseTypes.BOX | RLBaseTypes.MULTI, "", 10, None, "override_action_type")
    with pytest.raises(ValueError, match="is not one of"):
        choose_type(DiscreteSpace(2), choice)

    class Nowhere(DiscreteSpace):
        def get_encode_list(self) -> list[RLBaseTypes]:
            return []

    choice = Choice(RLBaseTypes.BOX | RLBaseTypes.MULTI, RLBaseTypes.NONE, 10, None, "override_action_type")
    with pytest.raises(NotSupportedError, match="Set override_action_type"):
        choose_type(Nowhere(2), choice)


def test_conversions_can_be_switched_off() -> None:
    config, env = set_up(base="BOX", enable_state_encode=False, enable_action_decode=False)
    assert config.state_encode_one_step(7, env) == 7
    assert config.observation_type == config.action_type == RLBaseTypes.NONE


def test_encode_options_of_the_user_and_of_the_algorithm() -> None:
    config, env = set_up(base="BOX")
    assert config.state_encode_one_step(50, env).dtype == np.float32
    options = SpaceEncodeOptions(cast=True, cast_dtype="float64", np_norm_type="-1to1")
    config, env = set_up(base="BOX", state_encode_options=options)
    assert config.state_encode_one_step(99, env).dtype == np.float64
    assert config.state_encode_one_step(99, env).tolist() == [1.0]

    class Raw(probe_rl.Config):
        def get_base_observation_type_options(self) -> SpaceEncodeOptions:
            return SpaceEncodeOptions()

    raw = Raw(base="BOX", override_action_type="BOX", action_decode_options=SpaceEncodeOptions(np_norm_type="0to1"))
    raw.setup(env)
    assert raw.state_encode_one_step(50, env).dtype == np.int64
    assert raw.action_decode(np.array([0.5], np.float32)) == 2


def test_window() -> None:
    config, _ = set_up(window_length=3)
    assert str(config.observation_space).startswith("ArrayDiscrete(3")
    assert config.observation_space_one_step == DiscreteSpace(100)


def test_processors_apply_in_order() -> None:
    given = Plus(1)
    config, env = set_up(processors=[given, Refuses(), Plus(10)])
    assert config.observation_space == DiscreteSpace(111)
    assert config.state_encode_one_step(5, env) == 16
    applied = config.binding.observation.processors
    assert applied == [Plus(1), Plus(10)]
    assert applied[0] is not given
    assert Processor is RLProcessor


def test_own_processors_come_first_and_can_be_switched_off() -> None:
    class Own(probe_rl.Config):
        def get_processors(self, prev_observation_space: Any) -> list[RLProcessor]:
            return [Plus(prev_observation_space.n)]

    on, off = Own(), Own(enable_rl_processors=False)
    for config in (on, off):
        config.setup(srl.make_env("Counting"))
    assert (on.observation_space.n, off.observation_space.n) == (200, 100)


def test_a_space_of_spaces_means_what_the_config_says() -> None:
    class Boxes(counting_env.Counting):
        observation_space = BoxSpace((2, 2), 0, 255, np.uint8)  # type: ignore[assignment]

    srl.base.env.registration.register("Boxes", "test_config:Boxes", check_duplicate=False)
    globals()["Boxes"] = Boxes
    config = probe_rl.Config(base="BOX", override_env_observation_type=SpaceTypes.GRAY_HW)
    config.setup(srl.make_env("Boxes"))
    assert config.observation_space.stype == SpaceTypes.GRAY_HW


def test_pictures_as_observations() -> None:
    config, env = set_up(base="BOX", observation_mode="render_image", picture=True)
    assert config.request_env_render == "rgb_array"
    assert config.observation_space.shape == config.obs_render_img_space.shape == (8, 12, 3)
    assert config.obs_render_img_space_one_step.shape == (8, 12, 3)
    assert config.state_encode_one_step(7, env).shape == (8, 12, 3)
    assert config.render_image_state_encode_one_step(env).dtype == np.uint8


def test_an_algorithm_without_pictures_has_no_space_for_them() -> None:
    config, _ = set_up()
    with pytest.raises(UsageError, match="use_render_image_state"):
        _ = config.obs_render_img_space


def test_an_environment_without_pictures() -> None:
    class Blind(counting_env.Counting):
        def render_rgb_array(self, **_kwargs: Any) -> Any:
            return None

        def render_terminal(self, **_kwargs: Any) -> None:
            pass

    globals()["Blind"] = Blind
    srl.base.env.registration.register("Blind", "test_config:Blind", check_duplicate=False)
    with pytest.raises(NotSupportedError, match="'Blind' draws no picture"):
        probe_rl.Config(observation_mode="render_image").setup(srl.make_env("Blind"))


def test_values_are_repaired_or_checked() -> None:
    config, env = set_up()
    assert config.action_decode(9) == 4
    assert config.state_encode_one_step(100.0, env) == 99
    config, env = set_up(enable_assertion=True)
    with pytest.raises(AssertionError, match="the action of 'Probe' 9 is not in Discrete"):
        config.action_decode(9)
    config, env = set_up(enable_sanitize=False)
    assert config.action_decode(9) == 9


def test_backup_and_restore_are_tried_where_needed(caplog: pytest.LogCaptureFixture) -> None:
    class Planner(probe_rl.Config):
        def use_backup_restore(self) -> bool:
            return True

    class Amnesic(counting_env.Counting):
        def backup(self) -> int:
            raise ValueError("no way back")

    Planner().setup(srl.make_env("Counting"))
    globals()["Amnesic"] = Amnesic
    srl.base.env.registration.register("Amnesic", "test_config:Amnesic", check_duplicate=False)
    with caplog.at_level(logging.ERROR), pytest.raises(ValueError, match="no way back"):
        Planner().setup(srl.make_env("Amnesic"))
    assert "'Probe' needs backup and restore, which 'Amnesic' fails at" in caplog.text


@pytest.mark.parametrize("name", ["window_length", "render_image_window_length"])
def test_windows_have_a_length(name: str) -> None:
    with pytest.raises(ValueError, match=f"Config.{name} is 0; it must be 1 or more"):
        set_up(**{name: 0}, picture=False)


def test_parts_are_validated() -> None:
    with pytest.raises(ValueError, match=r"Part.size is negative"):
        Full(part=Part(-1)).setup(srl.make_env("Counting"))


def test_a_subclass_must_be_a_dataclass() -> None:
    class Forgot(probe_rl.Config):
        rate: float = 0.1

    with pytest.raises(UsageError, match=r"Forgot has fields \(rate\) but is no dataclass"):
        Forgot().setup(srl.make_env("Counting"))


def test_changes_after_setup_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    config, _ = set_up()
    with caplog.at_level(logging.INFO):
        config.window_length = 2
    assert "Config.window_length changes after setup" in caplog.text


def test_copy() -> None:
    config = Full(shape=(3,), table={"a": [1]})
    config.setup(srl.make_env("Counting"))
    same, fresh = config.copy(), config.copy(reset_env_config=True)
    assert same == fresh == config
    assert same.is_setup()
    assert same.met == "Counting"
    assert not fresh.is_setup()
    same.table["a"].append(2)
    assert config.table == {"a": [1]}
    fresh.setup(srl.make_env("Grid"))
    assert fresh.met == "Grid"


def test_plain_data_and_back() -> None:
    table = {"a": [1, 2.5, None, (1, "x")], "b": {"c": True}}
    config = Full(part=Part(5), shape=(4, 5), table=table, anything=SpaceTypes.RGB)
    config.extend_worker = probe_rl.Worker
    config.processors = [Plus(3)]
    config.part.log.append("kept")
    plain = config.to_dict()
    assert plain["_target_"] == "test_config:Full"
    assert plain["base"] == {"_target_": "srl.base.define:RLBaseTypes", "name": "DISCRETE|BOX"}
    assert plain["anything"] == {"_target_": "srl.base.define:SpaceTypes", "name": "RGB"}
    assert plain["part"] == {"_target_": "test_config:Part", "size": 5, "log": ["kept"]}
    assert "_binding" not in plain
    assert RLConfig.load(plain) == config
    assert to_plain(np.float32(0.5)) == 0.5


@pytest.mark.parametrize("suffix", ["yaml", "yml", "json"])
def test_save_and_load(tmp_path: Any, suffix: str) -> None:
    config = Full(shape=(7,), table={"x": 1})
    config.save(tmp_path / f"config.{suffix}")
    assert RLConfig.load(tmp_path / f"config.{suffix}") == config


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({1.5: 2}, r"Full.anything has the key 1.5 of type float"),
        ([{"a": {3}}], r"Full.anything\[0\]\['a'\] is \{3\} of type set"),
        (np.array(["x"]), r"Full.anything is array.* of type ndarray"),
        (lambda: None, r"Full.anything is <function"),
    ],
)
def test_a_value_without_plain_form_is_named(value: Any, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        Full(anything=value).to_dict()


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        ({"x": 1}, "is not of the form"),
        ({"_target_": "test_config:Part"}, "is no RLConfig"),
        ({"_target_": "test_config:Full", "speed": 1}, "Full has no field 'speed'"),
        (
            {"_target_": "test_config:Full", "part": {"_target_": "os:getcwd"}},
            "neither a dataclass nor an enum",
        ),
    ],
)
def test_plain_data_that_is_no_configuration(plain: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        RLConfig.load(plain)


def test_files_that_are_no_configuration(tmp_path: Any) -> None:
    with pytest.raises(UsageError, match=r"ends in .yaml, .yml or .json"):
        Full().save(tmp_path / "config.txt")
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(UsageError, match="does not hold a mapping"):
        RLConfig.load(tmp_path / "list.json")


def test_apply_dict_changes_only_what_it_names() -> None:
    assert Full(shape=(9,)).apply_dict({"window_length": 4}) == Full(shape=(9,), window_length=4)


def test_dtype() -> None:
    assert DummyRLConfig(dtype="float16").get_dtype("np") is np.float16
    assert DummyRLConfig().get_dtype("tf") == "float32"
    with pytest.raises(UsageError, match="'jax' is not one of"):
        DummyRLConfig().get_dtype("jax")  # type: ignore[arg-type]


def test_summaries(capsys: pytest.CaptureFixture[str]) -> None:
    config, _ = set_up()
    config.summary()
    assert "window_length: 1" in capsys.readouterr().out
    assert config.get_metadata()["name"] == "Probe"
    config.model_summary()


def test_defaults_of_the_optional_hooks() -> None:
    config = DummyRLConfig()
    config.setup_from_actor(2, 0)
    assert config.get_framework() == config.override_env_render_mode() == ""
    assert not config.use_update_parameter_from_worker()
    assert config.get_changeable_parameters() == []
    assert copy.deepcopy(config) == config
