"""Training configurations: every key is checked, and the sentence names the key and the cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import BadFileError, BadInputError, KnownError
from core.pretraining import config
from core.pretraining.config import PretrainConfig
from core.resources import RESOURCES
from core.training import teach_config
from core.training.config_file import read_config
from core.training.teach_config import TeachConfig

TABLES = {
    PretrainConfig: (config.RANGES, config.CHOICES),
    TeachConfig: (teach_config.RANGES, teach_config.CHOICES),
}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(text, "utf-8")
    return path


def test_no_file_and_an_empty_file_give_the_defaults(tmp_path: Path) -> None:
    assert read_config(None, PretrainConfig) == PretrainConfig()
    assert read_config(written(tmp_path, "# nothing\n"), PretrainConfig) == PretrainConfig()


def test_values_are_taken_and_numbers_read_as_people_write_them(tmp_path: Path) -> None:
    found = read_config(written(tmp_path, "steps: 7\nlearning_rate: 1e-4\nweight_decay: 0\n"), PretrainConfig)
    assert (found.steps, found.learning_rate, found.weight_decay) == (7, 1e-4, 0.0)
    assert isinstance(found.weight_decay, float)


def test_an_unknown_key_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"my\.yaml has an unknown key learning_rat: did you mean learning_rate\?"):
        read_config(written(tmp_path, "learning_rat: 1.0e-4\n"), PretrainConfig)
    with pytest.raises(BadInputError, match=r"my\.yaml has an unknown key zzzz: known keys are .*learning_rate"):
        read_config(written(tmp_path, "zzzz: 1\n"), PretrainConfig)
    with pytest.raises(BadInputError, match=r"my\.yaml has a key that is no word: known keys are .*learning_rate"):
        read_config(written(tmp_path, "true: 2\n"), PretrainConfig)


@pytest.mark.parametrize("line", ["steps: many", "steps: 1.5", "use_amp: 1", "steps: true", "learning_rate: fast"])
def test_a_value_of_the_wrong_type_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadInputError, match=line.split(":")[0]):
        read_config(written(tmp_path, line), PretrainConfig)


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [1\n", "just words"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadFileError, match=r"my\.yaml"):
        read_config(written(tmp_path, text), PretrainConfig)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="check the path"):
        read_config(tmp_path / "none.yaml", PretrainConfig)


@pytest.mark.parametrize("path", sorted((RESOURCES / "configs").glob("p*.yaml")), ids=lambda path: path.name)
def test_shipped_configurations_are_right(path: Path) -> None:
    assert read_config(path, PretrainConfig).steps > 0


@pytest.mark.parametrize("kind", [PretrainConfig, TeachConfig])
def test_every_number_has_a_range_and_every_word_its_choices(kind: type[PretrainConfig] | type[TeachConfig]) -> None:
    ranges, choices = TABLES[kind]
    defaults = vars(kind())
    numbers = [key for key, value in defaults.items() if type(value) in (int, float)]
    assert sorted(ranges) == sorted(numbers)
    assert sorted(choices) == sorted(key for key, value in defaults.items() if isinstance(value, str))
    kind().validate()


@pytest.mark.parametrize(
    "line",
    [
        "batch_images: 0",
        "boxes_per_image: -1",
        "held_out: 2.0",
        "learning_rate: .nan",
        "learning_rate: 0",
        "learning_rate: -.inf",
        "seed: -1",
        "seed: " + "9" * 2000,
        "weight_decay: " + "9" * 2000,
        "ema_decay: 1.0",
        "warmup_steps: -5",
        "initialisation: zeros",
        "l1_weight: -1",
    ],
)
@pytest.mark.parametrize("kind", [PretrainConfig, TeachConfig])
def test_a_value_out_of_its_range_is_named(
    tmp_path: Path, kind: type[PretrainConfig] | type[TeachConfig], line: str
) -> None:
    with pytest.raises(BadInputError, match=line.split(":")[0]) as caught:
        read_config(written(tmp_path, line), kind)
    assert "must be" in str(caught.value) and len(str(caught.value)) < 300 + len(str(tmp_path))


@pytest.mark.parametrize(
    "text", ["1: 2", "? [a]\n: b", "null: 1", "x: " + "[" * 5000, "a: &a [*a]", "2001-99-99", "\0"]
)
def test_yaml_that_is_odd_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(KnownError, match=r"my\.yaml") as caught:
        read_config(written(tmp_path, text), TeachConfig)
    assert "\n" not in str(caught.value)


def test_shares_of_drawings_are_at_most_all_frames(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="drag_share, coarse_share and placed_share"):
        read_config(written(tmp_path, "drag_share: 0.6\nplaced_share: 0.6\n"), PretrainConfig)
    assert read_config(written(tmp_path, "drag_share: 0.6\nplaced_share: 0.4\n"), PretrainConfig).placed_share == 0.4
