"""The lessons: every answer held against torch, every slip against its reason, and the page that asks."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import gradio as gr
import pytest
import torch
from markup import Page
from torch import nn

from googlenet.errors import LabError
from googlenet.lessons.course import KEYS, LESSONS, next_seed, pose
from googlenet.lessons.exercise import check, read_number
from googlenet.models.blocks import Inception, InceptionNaive
from googlenet.models.formats.share import from_link_text
from googlenet.models.googlenet import GoogLeNet
from googlenet.models.presets import preset
from googlenet.ui.build.lessons import answers as lessons
from googlenet.ui.build.lessons import view
from googlenet.ui.build.lessons.answers import Place
from googlenet.ui.build.module.form import Form

SEEDS = range(6)
EVERY = [(number, seed) for number in range(LESSONS) for seed in SEEDS]
ROOT = Path(__file__).resolve().parents[2]


def posed(key: str, seed: int):
    return pose(KEYS.index(key), seed)


def on_meta(build):
    with torch.device("meta"):
        return build()


def params(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def widths(config) -> tuple[int, ...]:
    return (config.in_channels, config.ch1x1, config.ch3x3red, config.ch3x3, config.ch5x5red, config.ch5x5,
            config.pool_proj)  # fmt: skip


# --- answers, by torch ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_one_modules_answers_are_torchs(seed):
    config, side = posed("concatenation", seed).module
    module = on_meta(lambda: Inception(*widths(config)))
    image = torch.empty(config.in_channels, side, side, device="meta")
    assert posed("concatenation", seed).answer == module(image).shape[0]

    given = dict(posed("one_by_one", seed).given)
    arriving, leaving = map(int, re.search(r"Conv2d\((\d+), (\d+)", given["layer"]).groups())
    assert posed("one_by_one", seed).answer == params(on_meta(lambda: nn.Conv2d(arriving, leaving, 1)))

    pool = eval(dict(posed("forgotten_stride", seed).given)["pool"], {"nn": nn})
    side = posed("forgotten_stride", seed).module[1]
    assert posed("forgotten_stride", seed).answer == pool(torch.empty(1, side, side, device="meta")).shape[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_padding_keeps_a_map_and_no_other_does(seed):
    exercise = posed("padding", seed)
    side, kernel = (int(text.split(" ×")[0]) for _, text in exercise.given)
    image = torch.empty(1, side, side, device="meta")
    convs = [on_meta(functools.partial(nn.Conv2d, 1, 1, kernel, padding=pad)) for pad in range(kernel)]
    keeps = [pad for pad, conv in enumerate(convs) if conv(image).shape[1] == side]
    assert [exercise.answer] == keeps


@pytest.mark.parametrize("seed", SEEDS)
def test_naive_modules_grow_as_in_torch(seed):
    exercise = posed("naive_growth", seed)
    config, length = exercise.module[0], int(exercise.question.split()[0])
    image = torch.empty(config.in_channels, 8, 8, device="meta")
    for _ in range(length):
        arriving = image.shape[0]
        image = on_meta(lambda c=arriving: InceptionNaive(c, config.ch1x1, config.ch3x3, config.ch5x5))(image)
    assert exercise.answer == image.shape[0]


def test_the_networks_answers_are_torchs():
    single, double = (
        params(on_meta(lambda k=kind: GoogLeNet(preset("imagenet", ch5x5=k)))) for kind in ("5x5", "two 3x3")
    )
    assert (single, double) == (6_998_552, 7_284_232)
    exercise = posed("two_3x3", 0)
    assert exercise.choices[exercise.answer - 1] == "more parameters"
    assert f"{single:,} with 5×5, {double:,} with two 3×3" in exercise.moral


@pytest.mark.parametrize("seed", SEEDS)
def test_the_stem_leaves_what_torch_leaves(seed):
    exercise = posed("small_images", seed)
    side = int(re.search(r"of a (\d+)×", exercise.question).group(1))
    network = on_meta(lambda: GoogLeNet(preset("imagenet"))).eval()
    seen = []
    network.inception3a.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[-1]))
    network(torch.empty(1, 3, side, side, device="meta"))
    assert seen == [exercise.answer]


def test_two_3x3_are_cheaper_only_after_a_wide_reduction():
    answers = set()
    for seed in range(1, 30):
        exercise = posed("two_3x3", seed)
        config = exercise.module[0]
        counts = [params(on_meta(functools.partial(_branch, config, v))) for v in ("5x5", "two 3x3")]
        word = "fewer" if counts[1] < counts[0] else "more"
        assert exercise.choices[exercise.answer - 1].startswith(word)
        answers.add(word)
    assert answers == {"fewer", "more"}


def _branch(config, variant: str) -> nn.Module:
    red, out = config.ch5x5red, config.ch5x5
    kernels = [(red, 5)] if variant == "5x5" else [(red, 3), (out, 3)]
    return nn.Sequential(*(nn.Conv2d(channels, out, kernel) for channels, kernel in kernels))


def test_a_ratio_has_some_slack():
    exercise = posed("reduced_cost", 0)
    assert exercise.answer == 9.7
    assert check(exercise, "9.75").right
    assert check(exercise, "9,7 ×").right
    assert check(exercise, "12").sentence == "Not 12×. That leaves out what the 1×1 itself costs."


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_not_the_other_way_round(seed):
    exercise = posed("reduced_cost", seed)
    wrong = check(exercise, "0")
    assert not wrong.right
    assert wrong.sentence.startswith("Not 0×. 0 would mean that the 5×5 without a reduction costs nothing")
    assert "other way round" not in wrong.sentence
    assert "1 would mean that both cost the same" in check(exercise, "1").sentence
    turned = next(slip.number for slip in exercise.mistakes if "other way round" in slip.why)
    assert "other way round" in check(exercise, f"{turned:.3f}").sentence


@pytest.mark.parametrize("seed", range(12))
def test_the_line_that_is_wrong_calls_another_branch(seed):
    """Read from the listing, as a person would."""
    exercise = posed("wrong_line", seed)
    calls = {f"branch{number}": branch for number, branch in enumerate(("1×1", "3×3", "5×5", "pool"), start=1)}
    wrong = [
        number
        for number, line in enumerate(exercise.choices, start=1)
        if (found := re.match(r"(branch\d)\(x\)\.shape  # (\S+): ", line)) and calls[found[1]] != found[2]
    ]
    assert wrong == [exercise.answer]


def test_the_notes_own_slip_shows_nothing_in_its_shapes():
    exercise = posed("wrong_line", 0)
    assert exercise.choices[4] == "branch3(x).shape  # pool: (32, 100, 100)"
    assert exercise.answer == 5
    assert "right by chance" in exercise.moral
    assert "class note" in exercise.moral
    assert "class note" not in posed("wrong_line", 1).moral


# --- every exercise ---------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "seed"), EVERY)
def test_the_right_answer_is_right_and_every_slip_is_told_its_reason(number, seed):
    exercise = pose(number, seed)
    assert exercise == pose(number, seed)
    assert exercise.key == KEYS[number]
    assert check(exercise, f"{exercise.answer:,}").right
    told = 0
    for slip in exercise.mistakes:
        if abs(slip.number - exercise.answer) > exercise.slack:
            feedback = check(exercise, str(slip.number))
            assert not feedback.right
            assert any(other.why in feedback.sentence for other in exercise.mistakes)
            told += 1
    assert told >= 2
    assert exercise.hint
    assert exercise.moral


@pytest.mark.parametrize(("number", "seed"), EVERY)
def test_every_sum_works_out(number, seed):
    for found in pose(number, seed).solution:
        worked = found.worked.replace(",", "").replace("·", "*").replace("−", "-").replace("/", "//")
        assert eval(worked.translate(str.maketrans("⌊⌋", "()")), {}) == found.result


@pytest.mark.parametrize("number", range(LESSONS))
def test_another_one_has_other_numbers(number):
    seeds = [0]
    for _ in range(4):
        seeds.append(next_seed(number, seeds[-1]))
    asked = [pose(number, seed) for seed in seeds]
    for one, two in itertools.pairwise(asked):
        assert one != two
        assert two.choices or one.answer != two.answer


def test_a_number_that_is_no_slip_is_too_few_or_too_many():
    exercise = posed("concatenation", 0)
    assert check(exercise, "255").sentence == "Not 255 channels. That is too few."
    assert check(exercise, "1,000").sentence == "Not 1,000 channels. That is too many."


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("163,696", "parameters", 163696),
        (" 163 696 ", "parameters", 163696),
        ("163\u202f696 parameters", "parameters", 163696),
        ("163'696", "parameters", 163696),
        ("163.696 params", "parameters", 163696),
        ("256 channels", "channels", 256),
        ("256channels.", "channels", 256),
        ("1 Channel", "channels", 1),
        ("10 pixels", "pixels", 10),
        ("10px", "pixels", 10),
        ("9.7×", "×", 9.7),
        ("9,7", "×", 9.7),
        ("9.7 times", "×", 9.7),
        ("9.712", "×", 9.712),
        ("-1", "channels", -1),
        ("−1", "pixels", -1),
        ("1e3", "channels", 1000),
        ("line 5", "line", 5),
        ("5.", "line", 5),
    ],
)
def test_numbers_as_people_write_them(text, unit, number):
    assert read_number(text, unit) == number


@pytest.mark.parametrize("text", ["", "many", "1,2,3", "inf", "nan", "1e999", "<b>", "channels", "9" * 5000])
def test_what_is_no_number_is_one_sentence(text):
    with pytest.raises(LabError, match="The answer is a number: type digits, such as 256"):
        read_number(text, "channels")


def test_another_unit_is_refused_with_the_one_that_is_asked_for():
    with pytest.raises(LabError, match="The question asks for a number of channels, not '256 parameters'"):
        read_number("256 parameters", "channels")
    assert check(posed("concatenation", 0), "256 channels").right
    assert check(posed("wrong_line", 0), "Line 5").right


def test_a_choice_must_be_there():
    with pytest.raises(LabError, match="Answer with a number from 1 to 6, not 7"):
        check(posed("wrong_line", 0), "7")
    with pytest.raises(LabError, match="lesson must be a whole number from 0 to 8, not 9"):
        pose(9)


def test_lessons_need_no_torch():
    code = "import sys\nfrom googlenet.lessons.course import pose\nassert 'torch' not in sys.modules and pose(7, 3)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=ROOT)


# --- the page ---------------------------------------------------------------------------------


def event(**data):
    return gr.EventData(None, data)


@pytest.mark.parametrize(("number", "seed"), EVERY[::3])
def test_cards_and_solutions_are_sound_html(number, seed):
    exercise = pose(number, seed)
    card = Page(view.card(exercise, number)).text
    for text in (
        exercise.title,
        exercise.question,
        exercise.hint,
        *exercise.choices,
        *itertools.chain(*exercise.given),
    ):
        assert " ".join(text.split()) in card
    said = Page(view.feedback_html(exercise, check(exercise, str(exercise.answer)))).text
    assert said.startswith("✓ Right: ")
    for found in exercise.solution:
        assert f"{found.worked} = {found.result:,}" in said
    assert exercise.moral in said


def test_what_is_typed_is_escaped():
    said = lessons.check_answer(None, "<img src=x>")[-1]
    assert Page(said).text == "The answer is a number: type digits, such as 256, not '<img src=x>'."


@pytest.mark.parametrize("seed", [0, 4])
def test_the_link_opens_what_was_asked_about(seed):
    for number in range(LESSONS):
        exercise = pose(number, seed)
        links = Page(view.feedback_html(exercise)).links
        assert len(links) == bool(exercise.module or exercise.network)
        if not links:
            continue
        asked = parse_qs(urlsplit(links[0]).query)
        if exercise.module:
            kind, *numbers = asked["module"][0].split("-")
            form = Form(kind, *map(int, numbers))
            config, side = exercise.module
            assert (form.height, form.width) == (side, side)
            assert dataclasses.replace(form.config(), name=config.name) == config
        else:
            assert from_link_text(asked["network"][0]).layers


def test_a_wrong_answer_then_a_right_one():
    place, *_ = lessons.show(None)
    assert place == {"lesson": 0, "seed": 0, "solved": [], "shown": []}
    place, path, _, _, outcome, said = lessons.check_answer(place, "224")
    assert (outcome, place["solved"]) == ("wrong", [])
    assert "The pool branch is forgotten: it passes on 32 channels too." in said
    assert "Worked out" not in said
    place, path, _, _, outcome, said = lessons.check_answer(place, "256")
    assert (outcome, place["solved"]) == ("right", ["concatenation"])
    assert Page(path).text.startswith("1 of 9 solved")
    assert Page(path).classes["gl-solved"] == 1
    assert "64 + 128 + 32 + 32" in said


def test_a_shown_solution_solves_nothing_until_another_one():
    """However often the page is loaded again or the lesson is chosen from the list."""
    place, *_, said = lessons.show_solution(None)
    assert "64 + 128 + 32 + 32" in said
    for again in (place, lessons.come_back(place)[0], lessons.open_lesson(place, event(lesson=0))[0],
                  json.loads(json.dumps(place))):  # fmt: skip
        again, *_, said = lessons.check_answer(again, "256")
        assert again["solved"] == []
        assert "The solution was shown" in said
    assert "64 + 128 + 32 + 32" in lessons.come_back(place)[-1]
    place = lessons.another(place)[0]
    assert "Worked out" not in str(lessons.come_back(place)[-1])
    answer = pose(0, place["seed"]).answer
    assert answer != 256
    assert lessons.check_answer(place, str(answer))[0]["solved"] == ["concatenation"]
    first = lessons.open_lesson(place, event(lesson=0))[0]
    assert first["seed"] == 0
    assert lessons.check_answer(first, "256")[0]["solved"] == []


def test_a_lesson_solved_before_its_solution_was_shown_stays_solved():
    place = lessons.check_answer(None, "256")[0]
    place = lessons.show_solution(place)[0]
    assert lessons.check_answer(place, "256")[0]["solved"] == ["concatenation"]


def test_places_that_browsers_remember_from_before_are_read():
    """As commit 49ae7b8 kept them: without the solutions that were shown."""
    assert Place.read({"lesson": 1, "seed": 0, "solved": ["concatenation"]}) == Place(1, 0, ("concatenation",))
    assert Place.read({"lesson": 4, "seed": 17, "solved": []}) == Place(4, 17)


def test_the_path_goes_round_and_ends_with_the_experiment():
    place = None
    for number in range(LESSONS):
        place = lessons.show(place)[0]
        assert place["lesson"] == number
        place, _, _, _, _, said = lessons.check_answer(place, str(pose(number).answer))
        assert ("What is left" in said) == (number == LESSONS - 1)
        place = lessons.onward(place)[0]
    assert (place["lesson"], len(place["solved"])) == (0, LESSONS)


def test_a_click_is_an_answer_and_opens_a_lesson():
    place = lessons.open_lesson(None, event(lesson=6))[0]
    assert place["lesson"] == 6
    _, _, _, shown, outcome, _ = lessons.choose_answer(place, event(answer="5"))
    assert (shown, outcome) == ("5", "right")
    for nonsense in (event(), event(lesson="6"), event(lesson=None), gr.EventData(None, None)):
        assert lessons.open_lesson(place, nonsense)[0]["lesson"] == 0


@pytest.mark.parametrize(
    "stored",
    [None, "x", 3, [], {}, {"lesson": "a", "seed": 0, "solved": []}, {"lesson": 1, "seed": 0, "solved": None},
     {"lesson": float("inf"), "seed": 0, "solved": []}, {"lesson": 0, "seed": 0, "solved": [], "shown": 3}],
)  # fmt: skip
def test_a_place_that_is_none_is_the_start(stored):
    assert Place.read(stored) == Place()


def test_a_place_from_elsewhere_is_brought_into_range():
    shown = ["padding 3", "padding 3", "<b> 1", "padding", "padding x", 7, [1], "padding -1"]
    read = Place.read({"lesson": 99, "seed": -5, "solved": ["padding", "<b>", "padding", 7, [1]], "shown": shown})
    assert read == Place(LESSONS - 1, 0, ("padding",), ("padding 3",))
    assert Place.read(read.plain()) == read
