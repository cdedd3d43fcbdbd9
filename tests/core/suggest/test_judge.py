"""A judge tells which refined finds are right; without one, the head's own logits do, as before."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, load_file, save, save_file

from core.errors import BadWeightsError
from core.geometry import Box
from core.head_records import Named
from core.suggest.extracts import read_cells
from core.suggest.judge import JUDGE_CARD, JUDGE_WEIGHTS, Judge, JudgeCard, load_judge, save_judge
from core.suggest.judging import KNOWN
from core.suggest.kit import SuggestKit
from core.suggest.learner import are_right
from core.suggest.network import SuggestNetwork
from core.suggest.suggester import Suggester
from core.suggest.trust import Standard, Trust, trust_in_judge
from tests.core.suggest.features import ENCODER, features_of
from tests.core.suggest.judges import STANDARDS, KeepingRefiner, make_judge

EXAMPLES: Named = ((Box(40, 40, 120, 120), "cat"), (Box(300, 200, 400, 300), "dög"))
REFINER = KeepingRefiner()
NETWORK = "light-1 suggest-1"


def kit_with(judge: Judge | None) -> SuggestKit:
    torch.manual_seed(0)
    network = SuggestNetwork().eval().requires_grad_(False)
    return SuggestKit(network, encoder=ENCODER, judge=judge, refiner=REFINER)


def suggester_with(judge: Judge | None) -> Suggester:
    return kit_with(judge).from_examples(features_of(), EXAMPLES)


def about_of(packed: bytes) -> dict[str, Any]:
    """What a packed head says of itself, from the header of its safetensors."""
    length = int.from_bytes(packed[:8], "little")
    about: dict[str, Any] = json.loads(json.loads(packed[8 : 8 + length])["__metadata__"]["about"])
    return about


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_judge(tmp_path, make_judge("score", weight=2.0, bias=-1.0), JudgeCard(NETWORK, STANDARDS))
    return tmp_path


def test_a_judge_comes_back_as_it_was(folder: Path) -> None:
    made, back = make_judge("score", weight=2.0, bias=-1.0), load_judge(folder, network=NETWORK)
    assert back is not None
    assert back.identity == made.identity and back.standards == STANDARDS
    known = np.random.default_rng(0).normal(size=(5, len(KNOWN)))
    assert np.allclose(back.logits(known), made.logits(known))
    assert np.allclose(back.logits(known), 2 * known[:, KNOWN.index("score")] - 1)


def test_no_judge_is_none_and_so_is_one_for_another_network_or_other_numbers(folder: Path, tmp_path: Path) -> None:
    assert load_judge(tmp_path / "nothing", network=NETWORK) is None
    assert load_judge(folder, network="light-1 suggest-2") is None
    change_card(folder, known=["logit"])
    assert load_judge(folder, network=NETWORK) is None


def change_card(folder: Path, **changes: object) -> None:
    path = folder / JUDGE_CARD
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


@pytest.mark.parametrize(
    "changes",
    [
        {"standards": {}},
        {"standards": {"following": {"threshold": 2, "usual": []}, "rest": {"threshold": 0.5, "usual": []}}},
        {"standards": None},
        {"format": "1"},
        {"network": 1},
        {"made_by": []},
    ],
)
def test_a_damaged_card_is_one_sentence(folder: Path, changes: dict[str, object]) -> None:
    change_card(folder, **changes)
    with pytest.raises(BadWeightsError, match=r"judge\.json is damaged .*: install BoxRefine again\.$"):
        load_judge(folder, network=NETWORK)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b"[]"])
def test_no_bytes_of_a_card_crash_it(folder: Path, content: bytes) -> None:
    (folder / JUDGE_CARD).write_bytes(content)
    with pytest.raises(BadWeightsError, match="is damaged"):
        load_judge(folder, network=NETWORK)


def test_a_newer_judge_is_one_sentence_whatever_its_card_holds(folder: Path) -> None:
    (folder / JUDGE_CARD).write_text(json.dumps({"format": 2, "other": True}), "utf-8")
    with pytest.raises(BadWeightsError, match="was made by a newer BoxRefine: update BoxRefine"):
        load_judge(folder, network=NETWORK)


@pytest.mark.parametrize("change", ["cut", "missing", "nan", "flat", "one tensor less", "narrow"])
def test_damaged_weights_are_one_sentence(folder: Path, change: str) -> None:
    path = folder / JUDGE_WEIGHTS
    tensors = load_file(path)
    if change == "cut":
        path.write_bytes(path.read_bytes()[:-3])
    elif change == "missing":
        path.unlink()
    else:
        match change:
            case "nan":
                tensors["plane"][0] = float("nan")
            case "flat":
                tensors["spread"][0] = 0.0
            case "one tensor less":
                del tensors["bias"]
            case _:
                tensors["mean"] = tensors["mean"][:-1].clone()
        save_file(tensors, path)
    with pytest.raises(BadWeightsError, match=r"judge\.safetensors") as raised:
        load_judge(folder, network=NETWORK)
    assert "\n" not in str(raised.value)


def test_each_find_has_all_numbers() -> None:
    suggester, features = suggester_with(None), features_of(1)
    found = suggester.find_refined(features, REFINER, read_cells(suggester.network, features, encoder=ENCODER))
    assert found.known.shape == (len(found.names), len(KNOWN)) and len(found.names) > 2
    assert np.isfinite(found.known).all()
    assert found.known[:, KNOWN.index("moved")] == pytest.approx(1.0)
    assert (found.known[:, KNOWN.index("rest")] == 1.0).all()
    assert found.known[:, KNOWN.index("boxes")] == pytest.approx(np.log(2.0))


def test_so_many_unlikely_finds_are_refined_and_all_likely_ones() -> None:
    suggester, features = suggester_with(None), features_of(1)
    cells = read_cells(suggester.network, features, encoder=ENCODER)

    def logits(most: int) -> list[float]:
        found = suggester.find_refined(features, REFINER, cells, most_unlikely=most)
        return sorted(found.known[:, KNOWN.index("logit")].tolist(), reverse=True)

    every = logits(500)
    likely = sum(logit > 0 for logit in every)
    assert len(every) > likely + 1
    assert logits(0) == every[:likely]
    assert logits(1) == every[: likely + 1]


def test_nothing_found_has_no_numbers() -> None:
    suggester, features = suggester_with(make_judge()), features_of(1)
    head = replace(suggester.head, learned=replace(suggester.head.learned, planes=suggester.head.learned.planes * 0))
    head.learned.planes[:, -1] = -50.0
    empty = Suggester(suggester.network, head, suggester.trust, encoder=ENCODER, identity="none", judge=suggester.judge)
    assert empty.suggest(features, REFINER) == []


def test_the_judge_chooses_and_orders() -> None:
    features = features_of(1)
    assert suggester_with(make_judge(bias=-20.0)).suggest(features, REFINER) == []
    every = suggester_with(make_judge("size", weight=0.5)).suggest(features, REFINER, threshold=0.0)
    assert len(every) > 2
    chances = [each.probability for each in every]
    assert chances == sorted(chances, reverse=True)
    some = suggester_with(make_judge("size", weight=0.5)).suggest(features, REFINER, threshold=chances[1])
    assert 1 <= len(some) <= sum(chance >= chances[1] for chance in chances)
    cats = suggester_with(make_judge(bias=5.0)).suggest(features, REFINER, categories=["cat"])
    assert {each.category for each in cats} <= {"cat"}


def test_without_a_judge_heads_and_suggestions_are_as_before() -> None:
    kit, features = kit_with(None), features_of(1)
    plain = kit.from_examples(features_of(), EXAMPLES)
    packed = kit.pack(plain)
    about = about_of(packed)
    assert about["format"] == 1 and "gallery" not in about
    assert set(load(packed)) == {"planes", "reaches", "examples"}
    # The head's own logits are the probabilities, whether a refiner for a judge is at hand or not.
    found = plain.suggest(features, REFINER, threshold=0.0)
    alone = SuggestKit(kit.network, encoder=ENCODER).from_examples(features_of(), EXAMPLES)
    assert found == alone.suggest(features, REFINER, threshold=0.0) and found
    _, _, chances = plain.find(features, read_cells(kit.network, features, encoder=ENCODER))
    assert {each.probability for each in found} <= set(chances.tolist())


def test_a_head_with_a_judge_comes_back_for_that_judge_only() -> None:
    judge = make_judge("size", weight=0.5)
    kit, features = kit_with(judge), features_of(1)
    learned = kit.from_examples(features_of(), EXAMPLES)
    assert learned.trust.threshold == STANDARDS.rest.threshold
    packed = kit.pack(learned)
    assert about_of(packed)["format"] == 2
    back = kit.unpack(packed)
    assert back.trust == learned.trust
    before, after = (each.suggest(features, REFINER, threshold=0.0) for each in (learned, back))
    # Looks are kept as fp16.
    assert [each.category for each in before] == [each.category for each in after]
    assert np.allclose([each.probability for each in before], [each.probability for each in after], atol=0.01)
    for other in (kit_with(None), kit_with(make_judge(bias=1.0))):
        with pytest.raises(BadWeightsError, match="it is learned again"):
            other.unpack(packed)


def test_a_head_without_a_judge_stays_in_use_if_a_judge_comes() -> None:
    plain = kit_with(None)
    back = kit_with(make_judge()).unpack(plain.pack(plain.from_examples(features_of(), EXAMPLES)))
    assert back.judge is None and back.trust.judge == ""


@pytest.mark.parametrize("change", [{"objects": [1]}, {"objects": [0, 2]}, {"boxes": [1]}, {"pictures": "many"}])
def test_a_head_with_a_damaged_gallery_is_learned_again(change: dict[str, object]) -> None:
    kit = kit_with(make_judge())
    packed = kit.pack(kit.from_examples(features_of(), EXAMPLES))
    about = about_of(packed)
    about["gallery"] |= change
    with pytest.raises(BadWeightsError, match="it is learned again"):
        kit.unpack(save(load(packed), {"about": json.dumps(about)}))


def test_before_any_find_the_judge_is_trusted_as_it_was_in_other_sets() -> None:
    trust = trust_of([], [])
    assert (trust.slope, trust.shift, trust.threshold) == (1.0, 0.0, 0.5)
    assert trust.expected_precision(0.5) == pytest.approx(0.7)
    assert trust.expected_precision(1.0) == pytest.approx(1.0)


def trust_of(logits: list[float], right: list[bool]) -> Trust:
    standard = Standard(0.5, STANDARDS.following.usual)
    names = ["a"] * len(logits)
    return trust_in_judge(
        np.array(logits, float), np.array(right, bool), names, objects=len(logits), judge="judge-1", standard=standard
    )


def test_finds_on_pictures_that_were_left_out_correct_the_judge() -> None:
    logits = np.linspace(-2, 2, 40).tolist()
    wrong, right = trust_of(logits, [False] * 40), trust_of(logits, [True] * 40)
    at = np.array([1.0])
    plain = 1 / (1 + np.exp(-1.0))
    assert wrong.probability(at, ["a"])[0] < plain < right.probability(at, ["a"])[0]
    assert wrong.expected_precision(0.3) < right.expected_precision(0.3)
    assert wrong.threshold == right.threshold == 0.5 and wrong.judge == "judge-1"


def test_a_find_is_right_if_it_lies_on_a_labelled_box_of_its_category() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [20, 0, 30, 10]], float)
    true = ((Box(1, 0, 11, 10), "cat"), (Box(26, 0, 36, 10), "cat"))
    assert are_right(boxes, ["cat", "dog", "cat"], true).tolist() == [True, False, False]
    assert are_right(np.zeros((0, 4)), [], true).tolist() == []
