"""A class in a real browser: link, student, code, table; and a challenge that is solved in the builder."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from googlenet.lessons.assignment import read_assignment
from googlenet.lessons.design import design_text

SLOW = 60_000


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#{name}").locator("input, textarea")


def test_a_teachers_link_a_students_code_and_the_table(visit: object) -> None:
    teacher = visit.open("?tab=build&view=lessons&lesson=class")
    expect(field(teacher, "class-link")).to_have_value(re.compile("class=1"), timeout=SLOW)
    key = field(teacher, "class-key").input_value()
    address = field(teacher, "class-link").input_value()
    assert key not in address
    assignment = read_assignment(address)
    student = visit.open(address.removeprefix(f"{visit.lab.url}/"))
    expect(student.get_by_text("How many channels does this module give?").locator("visible=true")).to_be_visible()
    expect(student.get_by_role("button", name="Show the solution")).to_have_count(0)
    field(student, "class-answer").fill(str(assignment.task(0).answer))
    field(student, "class-answer").press("Enter")
    expect(student.locator(".gl-reply")).to_contain_text("✓ Right", timeout=SLOW)
    expect(student.get_by_text("Worked out")).to_have_count(0)
    student.get_by_role("button", name="A module within its means").click()
    expect(student.get_by_text("Task 3 of 3")).to_be_visible()
    field(student, "class-answer").fill(design_text(assignment.task(2).example))
    student.locator("#class-check").click()
    expect(student.get_by_text("Right: every condition holds.")).to_be_visible(timeout=SLOW)
    expect(student.get_by_text("2 of 3 solved")).to_be_visible()
    student.reload()  # the answers are still there
    expect(student.get_by_text("2 of 3 solved")).to_be_visible(timeout=SLOW)
    field(student, "class-name").fill("Ada Lovelace")
    student.get_by_role("button", name="Make my code").click()
    expect(field(student, "class-code")).to_have_value(re.compile(r"^GL1\."), timeout=SLOW)
    field(teacher, "class-codes").fill(f"Dear teacher, {field(student, 'class-code').input_value()} yours, Ada")
    teacher.get_by_role("button", name="Read the codes").click()
    row = teacher.locator(".gl-class-table tbody tr")
    expect(row).to_contain_text("Ada Lovelace", timeout=SLOW)
    expect(row).to_contain_text("2 of 3")
    teacher.get_by_label("with answers").check()
    teacher.get_by_role("button", name="Make the handout").click()
    expect(teacher.locator(".gl-printed > .gl-handout")).to_contain_text("Inception modules: answers", timeout=SLOW)
    teacher.emulate_media(media="print")
    expect(teacher.locator(".gl-handout")).to_be_visible()
    expect(teacher.locator("#class-key")).to_be_hidden()
    expect(teacher.get_by_role("tab", name="Build")).to_have_count(0)


def test_a_challenge_is_solved_in_the_builder_and_a_state_becomes_a_question(visit: object) -> None:
    page = visit.open("?tab=build&view=lessons&lesson=challenges")
    expect(page.get_by_text("Build an Inception module that gives at least 256 channels")).to_be_visible(timeout=SLOW)
    take = page.get_by_role("button", name="Take it from the builder")
    take.click()
    expect(page.get_by_text("128.0 M multiply-adds: 28.0 M too many.")).to_be_visible(timeout=SLOW)
    page.get_by_label("One module", exact=True).check()
    field(page, "build-ch3x3red").first.fill("64")
    expect(page).to_have_url(re.compile("-28-28-64-64-128-"))
    page.get_by_label("Lessons", exact=True).check()
    take.click()
    expect(page.get_by_text("Right: every condition holds.")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("1 of 3 solved")).to_be_visible()
    page.get_by_label("One module", exact=True).check()
    page.locator("#build-forgotten input").check()
    page.get_by_role("button", name="Make a question of it").click()
    page.get_by_role("button", name="no: the pool branch differs").click()
    expect(page.get_by_text("Right: “no: the pool branch differs”.")).to_be_visible(timeout=SLOW)
    expect(field(page, "question-link")).to_have_value(re.compile("question=fits.*forgotten"))
