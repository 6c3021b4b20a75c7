"""See inside in a real browser: from a picture to the branch that saw it, the sum behind a number, and the ledger."""

from __future__ import annotations

import re
from pathlib import Path

from conftest import Lab
from playwright.sync_api import Page, expect
from tiny import tiny_checkpoint, tiny_config

from googlenet.config import ConvConfig, InceptionConfig, PoolConfig
from googlenet.inference.inside.fields import field
from googlenet.models.presets import with_variants
from googlenet.models.profile import profile_network

PATIENCE = 90_000
EXAMPLES = Path(__file__).resolve().parents[2] / "googlenet" / "ui" / "static" / "examples"

# Few layers, in the manner of torchvision's: pools that round up, and 3×3 convolutions in the 5×5 branch.
POOL = {"padding": 0, "ceil_mode": True}
FOR_224 = with_variants(
    tiny_config(
        input_size=224,
        layers=(
            ConvConfig("conv1", 3, 8, 7, stride=2, padding=3),
            PoolConfig("maxpool1", 3, **POOL),
            ConvConfig("conv2", 8, 12, 3, padding=1),
            PoolConfig("maxpool2", 3, **POOL),
            InceptionConfig("inception3a", 12, 4, 4, 6, 2, 3, 3),
            PoolConfig("maxpool3", 3, **POOL),
            InceptionConfig("inception4a", 16, 4, 4, 6, 2, 3, 3),
        ),
    ),
    ch5x5="3x3",
)


def opened(visit: object, query: str = "?tab=classify&classify=inside", width: int = 1280) -> Page:
    page = visit.open(query, width=width)
    expect(page.get_by_text("What happens inside?")).to_be_visible(timeout=PATIENCE)
    return page


def added_up(page: Page) -> bool:
    """Whether what the ledger's first line shows, bias and four branches, is the logit that it shows, to the digit."""
    numbers = page.locator(".gl-equation b").all_inner_texts()
    *parts, total = (float(number.replace("−", "-")) for number in numbers)
    signs = [1, *(-1 if sign == "−" else 1 for sign in page.locator(".gl-equation i").all_inner_texts())]
    return len(parts) == 5 and abs(sum(s * part for s, part in zip(signs, parts, strict=False)) - total) < 1e-9


def test_which_branch_saw_the_ears_in_three_clicks(visit: object) -> None:
    page = visit.open(height=720)
    page.get_by_role("button", name="See this module on a picture").click()  # one
    page.get_by_role("button", name="cat").click(timeout=PATIENCE)  # two
    page.locator(".gl-inside .gl-seen-here").click(position={"x": 182, "y": 22}, timeout=PATIENCE)  # three
    expect(page.locator(".gl-hint b")).to_have_text(re.compile("the (1×1|3×3|5×5|pool) branch responds most here"))
    rows = page.locator(".gl-strengths tbody tr")
    expect(rows).to_have_count(4)
    expect(page.locator(".gl-strengths .gl-most")).to_have_count(1)

    page.get_by_role("button", name="inception4a").click()
    expect(page.locator(".gl-inside[aria-label=inception4a]")).to_be_visible(timeout=PATIENCE)
    page.locator(".gl-seen-here").click(position={"x": 104, "y": 104})
    expect(rows.nth(2)).to_contain_text(re.compile(r"5×5.*21 × 2\d"))
    expect(page.locator(".gl-strengths [data-share$='%']")).to_have_count(4)
    # The 3×3 and the pool branch see the same, and both can be seen to.
    boxes = page.locator(".gl-field:visible").evaluate_all("all => all.map((one) => one.getBoundingClientRect().width)")
    assert len(boxes) == len(set(boxes)) == 4

    # One of its maps, the sum behind its number, and what it looks for.
    page.locator(".gl-lane").nth(1).locator("[data-step$='branch2.1']").first.click()
    expect(page.locator(".gl-sum tfoot")).to_contain_text("ReLU", timeout=PATIENCE)
    value = page.locator(".gl-sum tfoot tr").last.locator(".gl-n").inner_text()
    expect(page.locator(".gl-detail .gl-note")).to_contain_text(f"The map shows {value} here.")
    expect(page.locator(".gl-picked")).to_contain_text(f"is {value} at row 7, column 7.")
    page.get_by_role("button", name="Show each").click()
    expect(page.get_by_role("button", name="Show each")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator(".gl-sum tfoot tr").last.locator(".gl-n")).to_have_text(value)
    assert page.locator(".gl-sum tbody tr").count() > 100
    expect(page.get_by_text(re.compile("What channel .* looks for"))).to_be_visible()
    assert page.locator("canvas").evaluate("(canvas) => canvas.width") == 16
    expect(page).to_have_url(re.compile(r"channel=inception4a\.branch2\.1-\d+"))

    # The answer: the parts add up, and a sentence names the branch.
    page.get_by_role("button", name="answer", exact=True).click()
    expect(page.locator(".gl-carried")).to_contain_text(
        re.compile("branch of inception.* carried cat most"), timeout=PATIENCE
    )
    assert added_up(page)
    page.get_by_label("and not").click()
    page.get_by_role("option", name="dog").click()
    expect(page.locator(".gl-ledger h4").first).to_contain_text("cat's lead over dog", timeout=PATIENCE)
    expect(page).to_have_url(re.compile("see=answer.*not=dog"))
    page.locator(".gl-ledger [data-channel]").first.click()  # the channel that gave most
    expect(page.locator(".gl-detail h4")).to_contain_text("of inception5b", timeout=PATIENCE)
    expect(page).to_have_url(re.compile(r"see=inception5b.*channel=inception5b\.branch"))


def test_by_keyboard_and_padding_is_counted(visit: object) -> None:
    page = opened(visit, "?tab=classify&classify=inside&see=inception5b")
    page.locator("input[type=file]").first.set_input_files(EXAMPLES / "ship.jpg")
    expect(page.locator(".gl-inside[aria-label=inception5b]")).to_be_visible(timeout=PATIENCE)
    page.locator(".gl-seen-here").focus()
    for key in ("ArrowUp", *["ArrowUp"] * 8, *["ArrowLeft"] * 8):
        page.keyboard.press(key)
    expect(page.locator(".gl-hint")).to_contain_text("Row 0, column 0 of 8 × 8")
    expect(page.locator(".gl-strengths tbody tr").nth(2)).to_contain_text("16 of 25 (64%)")
    expect(page.locator(".gl-strengths tbody tr").nth(2).locator(".gl-taps .gl-beside")).to_have_count(16)
    page.locator(".gl-way [aria-current]").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator(".gl-inside[aria-label=inception5a]")).to_be_visible(timeout=PATIENCE)
    number = page.locator(".gl-band input").first
    number.fill("7")
    number.press("Enter")
    expect(page.locator(".gl-detail h4")).to_contain_text("Channel 7 of inception5a, 1×1 branch", timeout=PATIENCE)


def test_from_build_and_on_a_phone(visit: object) -> None:
    page = visit.open("?tab=build", width=390)
    page.get_by_role("button", name="See this module on a picture").click()
    expect(page.get_by_text("What happens inside?")).to_be_visible(timeout=PATIENCE)
    expect(page).to_have_url(re.compile("see=inception3a"))
    page.get_by_role("button", name="frog").click()
    expect(page.locator(".gl-inside[aria-label=inception3a]")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # The way through the network follows the picture and one line of pictures to try, of which the last is in reach.
    boxes = [page.locator(place).first.bounding_box() for place in (".gl-photo", ".gl-way")]
    assert boxes[0]["y"] + boxes[0]["height"] < boxes[1]["y"] < boxes[0]["y"] + boxes[0]["height"] + 200
    page.get_by_role("button", name="lion").click()


def test_a_link_restores_what_was_chosen_and_another_networks_is_dropped(visit: object) -> None:
    chosen = "&see=inception4a&channel=inception4a.branch2.1-7&class=cat&not=dog"
    page = opened(visit, f"?tab=classify&classify=inside{chosen}")
    page.get_by_role("button", name="frog").click()
    expect(page.locator(".gl-detail h4")).to_contain_text("Channel 7 of inception4a, 3×3 branch", timeout=PATIENCE)
    expect(page.get_by_text("What channel 199 of inception4a looks for")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".gl-overlay")).to_be_visible()
    page.get_by_role("button", name="answer", exact=True).click()
    expect(page.locator(".gl-ledger h4").first).to_contain_text("cat's lead over dog", timeout=PATIENCE)
    expect(page.get_by_text("The training images nearest to your picture")).to_be_visible(timeout=PATIENCE)
    expect(page).to_have_url(re.compile("see=answer.*class=cat.*not=dog"))
    expect(page).not_to_have_url(re.compile("channel="))
    page.close()

    page = opened(visit, "?tab=classify&classify=inside&see=inception9z&channel=a.branch1--3&class=unicorn&not=%3Cb%3E")
    page.get_by_role("button", name="frog").click()
    expect(page.locator(".gl-inside[aria-label=inception3a]")).to_be_visible(timeout=PATIENCE)
    expect(page).not_to_have_url(re.compile(r"[?&](see|channel|class|not)="), timeout=PATIENCE)


def test_a_network_for_224_pixels_from_the_picture_to_the_answer(visit: object, lab: Lab) -> None:
    weights = tiny_checkpoint(lab.checkpoints / "try-224.safetensors", config=FOR_224, resize=256)
    try:
        page = opened(visit, "?tab=classify&classify=inside&see=picture")
        page.get_by_label("Network").locator("visible=true").click()
        page.get_by_role("option", name="try-224").click()
        page.get_by_role("button", name="cat", exact=True).click()
        expect(page.locator(".gl-where")).to_contain_text("3 × 224 × 224", timeout=PATIENCE)
        assert page.locator(".gl-seen-here img").evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [
            224,
            224,
        ]

        page.get_by_role("button", name="inception4a").click()
        expect(page.locator(".gl-inside[aria-label=inception4a]")).to_be_visible(timeout=PATIENCE)
        page.locator(".gl-seen-here").focus()
        page.keyboard.press("ArrowUp")
        seen = field(profile_network(FOR_224), "inception4a.branch3.1", 7, 7).box
        expect(page.locator(".gl-hint")).to_contain_text("Row 7, column 7 of 14 × 14")
        expect(page.locator(".gl-strengths tbody tr").nth(2)).to_contain_text(f"{seen.height} × {seen.width}")
        expect(page.locator(".gl-lane").nth(2).locator(".gl-step").last).to_contain_text("3×3 conv")
        page.locator(".gl-lane").nth(2).locator("[data-step$='branch3.1']").first.click()
        value = page.locator(".gl-sum tfoot tr").last.locator(".gl-n")
        expect(page.locator(".gl-detail")).to_contain_text(f"The map shows {value.inner_text(timeout=PATIENCE)} here.")
        assert page.locator("canvas").evaluate("(canvas) => canvas.width") == 14

        page.get_by_role("button", name="answer", exact=True).click()
        expect(page.locator(".gl-ledger h5").first).to_contain_text("of inception4a", timeout=PATIENCE)
        assert added_up(page)
        expect(page.get_by_text("the lab has none of 224 × 224 pixels")).to_be_visible()
        expect(page.get_by_text("none can be computed here")).to_be_visible(timeout=PATIENCE)
    finally:
        weights.unlink()
