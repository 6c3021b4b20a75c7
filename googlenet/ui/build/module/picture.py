"""The drawing on the page: the layout that fits, steps that can be chosen, and downloads made in the browser."""

from __future__ import annotations

from html import escape

from googlenet.config import InceptionConfig
from googlenet.models.profile import Profile
from googlenet.ui.build.module.drawing import NARROW, WIDE, Drawn, Layout, draw_module


def picture_html(config: InceptionConfig, profile: Profile, step: str) -> str:
    """HTML: both layouts, of which CSS shows one, with a button on every step; `step` is the row that is chosen."""
    kind = "naive Inception module" if config.naive else "Inception module with 1×1 reductions"
    title = f"{kind[:1].upper()}{kind[1:]}"
    widths = (config.in_channels, config.ch1x1, config.ch3x3red, config.ch3x3, config.ch5x5red, config.ch5x5)
    name = "-".join(["inception", *(str(width) for width in (*widths, config.pool_proj) if width)])
    sheets = "".join(_sheet(draw_module(profile, layout, title=title), layout, step) for layout in (WIDE, NARROW))
    saves = "".join(
        f"<button type='button' data-save='{kind}' aria-label='Download the picture as {kind.upper()}'>"
        f"{kind.upper()}</button>"
        for kind in ("svg", "png")
    )
    return (
        f"<figure class='gl-picture' data-name='{escape(name)}'>{sheets}"
        f"<figcaption>Download {saves}</figcaption></figure>"
    )


def _sheet(drawn: Drawn, layout: Layout, step: str) -> str:
    buttons = "".join(
        f"<button type='button' data-step='{escape(name)}' aria-pressed='{str(name == step).lower()}' "
        f"aria-label='{escape(label)}' style='{box}'></button>"
        for name, label, box in drawn.plates
    )
    return f"<div class='gl-sheet gl-{layout.name}'>{drawn.svg}{buttons}</div>"


# The picture is saved as it is seen: every computed colour and font written into a copy, so that it opens anywhere.
CHOOSE_OR_SAVE = """
const inherited = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "paint-order",
    "font-family", "font-size", "font-weight", "text-anchor"];
const own = ["opacity", "fill-opacity", "stop-color", "stop-opacity"];
const standalone = (svg) => {
    const copy = svg.cloneNode(true), [, , width, height] = svg.getAttribute("viewBox").split(" ");
    const copies = [copy, ...copy.querySelectorAll("*")];
    [svg, ...svg.querySelectorAll("*")].forEach((node, index) => {
        const style = getComputedStyle(node), above = getComputedStyle(node.parentNode);
        for (const name of inherited)
            if (node === svg || style.getPropertyValue(name) !== above.getPropertyValue(name))
                copies[index].setAttribute(name, style.getPropertyValue(name));
        for (const name of own.filter((name) => node.tagName === "stop" || !name.startsWith("stop")))
            if (style.getPropertyValue(name) !== "1") copies[index].setAttribute(name, style.getPropertyValue(name));
        copies[index].removeAttribute("class");
    });
    const ground = document.createElementNS(svg.namespaceURI, "rect");
    Object.entries({ width, height, fill: getComputedStyle(svg.closest("figure")).backgroundColor })
        .forEach(([name, value]) => ground.setAttribute(name, value));
    copy.querySelector("desc").after(ground);
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    return [new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }), width, height];
};
const painted = async ([blob, width, height]) => {
    const image = new Image(width, height), canvas = document.createElement("canvas"), sharp = 1600 / width;
    image.src = URL.createObjectURL(blob);
    await image.decode();
    [canvas.width, canvas.height] = [1600, Math.round(sharp * height)];
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
};
element.addEventListener("click", async (event) => {
    const { step, save } = event.target.closest("[data-step], [data-save]")?.dataset ?? {};
    if (step) {
        for (const button of document.querySelectorAll(".gl-build [data-step]"))
            button.setAttribute("aria-pressed", button.dataset.step === step);
        trigger("click", { step });
    }
    if (!save) return;
    const svg = [...element.querySelectorAll("svg.gl-drawing")].find((drawn) => drawn.getClientRects().length);
    const made = standalone(svg), link = document.createElement("a");
    link.href = URL.createObjectURL(save === "svg" ? made[0] : await painted(made));
    link.download = `${svg.closest("figure").dataset.name}.${save}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
});
"""
