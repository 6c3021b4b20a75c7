"""Many pictures at once: a folder in, a table out, a row opened, the table taken home."""

from __future__ import annotations

import base64
import zipfile
from pathlib import Path

from playwright.sync_api import expect

EXAMPLES = Path(__file__).resolve().parents[2] / "googlenet" / "ui" / "static" / "examples"
PATIENCE = 90_000


def many(page: object) -> object:
    page.get_by_role("radio", name="Many pictures").check()
    expect(page.get_by_text("Drop pictures, a folder or a zip here")).to_be_visible(timeout=PATIENCE)
    return page


def test_a_folder_of_pictures_becomes_a_table(visit: object, tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    for picture in EXAMPLES.glob("*.jpg"):
        (folder / picture.stem).mkdir(parents=True)
        (folder / picture.stem / "1.jpg").write_bytes(picture.read_bytes())
    (folder / "frog" / "2.jpg").write_bytes((EXAMPLES / "cat.jpg").read_bytes())
    (folder / "frog" / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "notes.txt").write_text("no picture")
    page = many(visit.open("?tab=classify"))
    expect(page.get_by_role("button", name="Answer all")).to_be_disabled()
    page.locator("[data-way=folder]").set_input_files(folder)
    expect(page.get_by_text("10 files are here")).to_be_visible()
    page.get_by_role("button", name="Answer all").click()
    rows = page.locator(".gl-many-table tbody tr")
    expect(rows).to_have_count(10, timeout=PATIENCE)
    expect(page.get_by_text("Passed over 1 file not named like pictures: 1 .txt.")).to_be_visible()
    names = rows.locator(".gl-many-name").all_inner_texts()
    assert names == sorted(names)
    expect(page.locator(".gl-card", has_text="Accuracy")).to_contain_text("88.9%")

    page.get_by_role("button", name="Wrong 1").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("holiday/frog/2.jpg")
    expect(page.get_by_role("button", name="Wrong 1")).to_be_focused()
    page.get_by_role("button", name="All 10").press("Enter")
    expect(rows).to_have_count(10)
    page.get_by_role("button", name="Probability").click()
    expect(page.locator("[aria-sort=descending]")).to_contain_text("Probability")
    page.locator("[data-cell]", has_text="1").last.click()
    expect(rows).to_have_count(1)

    with page.expect_download() as saved:
        page.get_by_role("button", name="Download the table (CSV)").click()
    assert len(saved.value.path().read_text().splitlines()) == 11

    page.get_by_role("button", name="All 10").click()
    page.get_by_role("button", name="holiday/ship/1.jpg").click()
    expect(page.locator(".gl-verdict")).to_contain_text("ship", timeout=PATIENCE)
    expect(page.get_by_role("radio", name="One picture")).to_be_checked()


def test_a_hostile_zip_is_refused_in_a_sentence_and_cancel_keeps_what_is_done(visit: object, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zero.png", bytes(60_000_000))
    page = many(visit.open("?tab=classify", width=390, height=844))
    page.locator("[data-way=files]").set_input_files(tmp_path / "bomb.zip")
    page.get_by_role("button", name="Answer all").click()
    expect(page.get_by_text("as zip bombs do: nothing in it was read")).to_be_visible(timeout=PATIENCE)

    picture = (EXAMPLES / "ship.jpg").read_bytes()
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(2_000):
            archive.writestr(f"{number:04d}.jpg", picture)
    page.locator("[data-way=files]").set_input_files(tmp_path / "many.zip")
    expect(page.get_by_text("many.zip is here")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Answer all").click()
    expect(page.get_by_text("of 2,000 pictures, about")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("of 2,000 pictures: these are their answers")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".gl-many-table tbody tr").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


DROP = """(picker, content) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)), transfer = new DataTransfer();
  transfer.items.add(new File([bytes], 'dropped.jpg', {type: 'image/jpeg'}));
  picker.dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""


def test_a_dropped_picture_is_taken(visit: object) -> None:
    page = many(visit.open("?tab=classify"))
    content = base64.b64encode((EXAMPLES / "deer.jpg").read_bytes()).decode()
    page.locator(".gl-picker").evaluate(DROP, content)
    expect(page.get_by_text("dropped.jpg is here")).to_be_visible()


def test_a_dropped_folder_is_walked_and_its_folders_are_labels(visit: object, tmp_path: Path) -> None:
    folder = tmp_path / "animals"
    for name in ("cat", "deer", "frog"):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.jpg").write_bytes((EXAMPLES / f"{name}.jpg").read_bytes())
    (folder / "deer" / "2.jpg").write_bytes((EXAMPLES / "ship.jpg").read_bytes())
    (folder / "IMG_7.HEIC").write_bytes(b"x")
    page = many(visit.open("?tab=classify"))
    box = page.locator(".gl-picker").bounding_box()
    # As from a file manager: the browser itself gives the page the folder's entries.
    drag = {
        "x": box["x"] + 40,
        "y": box["y"] + 20,
        "data": {"items": [], "files": [str(folder)], "dragOperationsMask": 1},
    }
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, **drag})
    expect(page.get_by_text("4 files are here")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Answer all").click()
    rows = page.locator(".gl-many-table tbody tr")
    expect(rows).to_have_count(4, timeout=PATIENCE)
    expect(page.locator(".gl-card", has_text="Accuracy")).to_contain_text("75.0%")
    expect(page.get_by_text("animals/IMG_7.HEIC is a HEIC picture, which cannot be read here")).to_be_visible()
    page.locator("[data-cell='4-8']").click()  # a deer, said to be a ship
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("animals/deer/2.jpg")


def test_an_example_is_answered_rightly_at_the_first_click(visit: object) -> None:
    page = visit.open("?tab=classify")
    page.get_by_role("button", name="frog").click()
    expect(page.locator(".gl-verdict")).to_contain_text("frog", timeout=PATIENCE)
    expect(page.get_by_text("This looks like nothing I know")).not_to_be_visible()
