"""The sums behind a module's profile, with the numbers in them: what a row's size, parameters and costs come from.

Everything is read off the rows of a profile, without torch. Formulas are written as text for people, in their language;
what stands in `Calculation.worked` is plain arithmetic, and the tests work it out.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from googlenet.config import InceptionConfig
from googlenet.errors import check_whole
from googlenet.language import mark, tr
from googlenet.models.profile import FLOAT32_BYTES, MAX_SIZE, Profile, Row

SIZE_RULE = mark("⌊(side + 2·padding − kernel) / stride⌋ + 1")
CHANNELS, BYTES = mark("channels"), mark("bytes")  # units of a result
POOL = mark("pool")  # the one of `BRANCHES` whose name is a word: shown with `tr`
KEEPING = {1: 0, 3: 1, 5: 2, 7: 3}  # kernel: the padding that keeps the size at stride 1


@dataclass(frozen=True)
class Calculation:
    """One sum: what it is, the rule in words, the same with the numbers in, what comes out, and what to know of it.

    The `unit` is English, a key of the catalogue.
    """

    name: str
    rule: str
    worked: str
    result: int
    unit: str = ""
    remark: str = ""


def find_row(profile: Profile, name: str) -> Row:
    """The row called `name`; else one of the same branch, as a naive module has fewer steps; else the costliest."""
    by_name = {row.name: row for row in profile.rows}
    branch = str(name).partition(".")[0]
    alike = [row for row in profile.rows if row.name.partition(".")[0] == branch]
    return by_name.get(name) or (alike[-1] if alike else max(profile.rows, key=lambda row: row.macs))


def calculations(profile: Profile, row: Row) -> tuple[Calculation, ...]:
    """The sums of one row of a module's profile, in the order in which one would do them."""
    if row.branch:
        return *_sides(row), *_costs(row, profile.batch), _memory(row, profile.batch)
    ends = [sums.out_shape[0] for sums in profile.by_branch().values()]
    remark = tr(
        "Concatenation is along axis 1 of a batch (N, C, H, W), axis 0 of a single image (C, H, W); "
        "height and width must be the same in every branch."
    )
    rule, worked = tr("sum of the branches' channels"), " + ".join(f"{end:,}" for end in ends)
    joined = Calculation(tr("Channels"), rule, worked, sum(ends), CHANNELS, remark)
    return joined, _memory(row, profile.batch)


def size_after(side: int, kernel: int, padding: int, stride: int) -> Calculation:
    """One side of a map after a window slid over it; raises `LabError` for what is out of range.

    The result is below 1 where the window is larger than the padded map, which torch refuses.
    """
    side = check_whole(side, "side", 1, MAX_SIZE)
    kernel = check_whole(kernel, "kernel", 1, 15)
    padding, stride = check_whole(padding, "padding", 0, 7), check_whole(stride, "stride", 1, 8)
    worked = f"⌊({side:,} + 2·{padding} − {kernel}) / {stride}⌋ + 1"
    return Calculation(tr("Side"), tr(SIZE_RULE), worked, (side + 2 * padding - kernel) // stride + 1)


def _sides(row: Row) -> tuple[Calculation, ...]:
    square = row.in_shape[1] == row.in_shape[2]
    names = (tr("Height and width"),) if square else (tr("Height"), tr("Width"))
    window = row.kernel, row.padding, row.stride
    sums = [size_after(row.in_shape[axis], *window) for axis in (1, 2)]
    return tuple(dataclasses.replace(found, name=name) for name, found in zip(names, sums, strict=False))


def _costs(row: Row, batch: int) -> tuple[Calculation, ...]:
    """Parameters and multiply-adds of a convolution; a pool learns and multiplies nothing."""
    if not row.params:
        why = tr("A pool works on each channel by itself: it has nothing to learn and multiplies nothing.")
        rule, worked = tr("as many as arrive"), f"{row.in_channels:,}"
        found = Calculation(tr("Channels"), rule, worked, row.out_channels, CHANNELS, why)
        return (found,)
    window = f"{row.kernel}·{row.kernel}·{row.in_channels:,}·{row.out_channels:,}"
    weights = row.kernel**2 * row.in_channels * row.out_channels
    normed = row.params - weights == 2 * row.out_channels
    if normed:
        rule = tr("kernel·kernel·channels in·channels out + 2·channels out")
        remark = tr("The last term is batch norm's scale and shift, in place of a bias.")
    else:
        rule = tr("kernel·kernel·channels in·channels out + channels out")
        remark = tr(
            "The last term is the biases; with batch norm in their place it is 2·{channels:,}, together {sum:,}.",
            channels=row.out_channels, sum=weights + 2 * row.out_channels,
        )  # fmt: skip
    worked = f"{window} + {'2·' if normed else ''}{row.out_channels:,}"
    params = Calculation(tr("Parameters"), rule, worked, row.params, "parameters", remark)
    worked = f"{window}·{row.out_shape[1]:,}·{row.out_shape[2]:,}"
    rule = tr("weights · places of the window")
    macs = Calculation(tr("Multiply-adds of an image"), rule, worked, row.macs, "multiply-adds")
    if batch == 1:
        return params, macs
    name, rule = tr("Multiply-adds of {n:,} images", n=batch), tr("images · multiply-adds of one")
    many = Calculation(name, rule, f"{batch:,}·{row.macs:,}", batch * row.macs, "multiply-adds")
    return params, macs, many


def _memory(row: Row, batch: int) -> Calculation:
    images = f"{batch:,}·" if batch > 1 else ""
    sizes = "·".join(f"{side:,}" for side in row.out_shape)
    if batch > 1:
        rule = tr("{n} bytes · images · channels · height · width", n=FLOAT32_BYTES)
    else:
        rule = tr("{n} bytes · channels · height · width", n=FLOAT32_BYTES)
    return Calculation(tr("Activations"), rule, f"{FLOAT32_BYTES}·{images}{sizes}", row.activation_bytes, BYTES)


def forget_stride(profile: Profile) -> Profile:
    """The module with `nn.MaxPool2d`'s default stride, which is its kernel size: the pool branch shrinks alone.

    Its rows then say what each branch gives, without the concatenation that fails. A single pixel stays one: nothing
    changes there.
    """
    rows, shrunk = [], profile.in_shape
    for row in profile.rows:
        if row.branch == "pool":
            stride = row.stride if row.params else row.kernel
            sides = tuple(size_after(side, row.kernel, row.padding, stride).result for side in shrunk[1:])
            shape = (row.out_channels, *sides)
            memory = FLOAT32_BYTES * profile.batch * math.prod(shape)
            macs = row.kernel**2 * row.in_channels * row.out_channels * math.prod(sides) if row.params else 0
            row = dataclasses.replace(
                row, stride=stride, in_shape=shrunk, out_shape=shape, macs=macs, activation_bytes=memory
            )
            shrunk = shape
        if row.branch or shrunk[1:] == profile.in_shape[1:]:
            rows.append(row)
    return dataclasses.replace(profile, rows=tuple(rows))


def misfit(profile: Profile) -> str:
    """Why the branches cannot be concatenated, as one sentence; empty when they can."""
    ends = {branch: sums.out_shape for branch, sums in profile.by_branch().items()}
    first = ends["1×1"]
    for branch, shape in ends.items():
        if shape[1:] != first[1:]:
            return tr(
                "The {branch} branch gives a {map} map, the others {others}: maps of different sizes cannot be "
                "concatenated. nn.MaxPool2d takes its kernel size as stride unless told otherwise, so write "
                "nn.MaxPool2d(kernel_size=3, stride=1, padding=1).",
                branch=tr(branch), map=f"{shape[1]}×{shape[2]}", others=f"{first[1]}×{first[2]}",
            )  # fmt: skip
    return ""


def naive_twin(config: InceptionConfig) -> InceptionConfig:
    """The module without 1×1 reductions whose 1×1, 3×3 and 5×5 branches give the same channels."""
    return InceptionConfig.make_naive(config.name, config.in_channels, config.ch1x1, config.ch3x3, config.ch5x5)


def savings(naive: Profile, reduced: Profile) -> tuple[str, ...]:
    """What the reductions do to each branch that has one, as sentences."""
    before, after = naive.by_branch(), reduced.by_branch()
    sentences = []
    for branch in ("5×5", "3×3"):
        ratio = before[branch].macs / after[branch].macs
        times = f"{max(ratio, 1 / ratio):.1f}"
        if times == "1.0":
            sentences.append(tr("The {branch} branch costs about the same", branch=branch))
        elif ratio > 1:
            sentences.append(tr("The {branch} branch costs {times}× less", branch=branch, times=times))
        else:
            sentences.append(tr("The {branch} branch costs {times}× more", branch=branch, times=times))
    sums = {"arriving": before["pool"].out_shape[0], "leaving": after["pool"].out_shape[0]}
    if sums["leaving"] == sums["arriving"]:
        sentences.append(tr("The pool branch passes on {leaving:,} channels, as many as arrive", **sums))
    elif sums["leaving"] < sums["arriving"]:
        sentences.append(tr("The pool branch passes on {leaving:,} channels, not all {arriving:,}", **sums))
    else:
        text = mark("The pool branch passes on {leaving:,} channels, more than the {arriving:,} that arrive")
        sentences.append(tr(text, **sums))
    return tuple(sentences)
