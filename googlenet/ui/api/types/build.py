"""What Build's endpoints return: what a module or a network is made of, and what it costs."""

from __future__ import annotations

from typing import Annotated

from typing_extensions import TypedDict

from googlenet.ui.api.types.common import Shape, Share, says

Params = Annotated[int, says("parameters: weights, biases, batch norm's scale and shift")]
Macs = Annotated[int, says("multiply-adds for one image, of convolutions and linear layers")]
ActivationBytes = Annotated[int, says("bytes of the outputs for the whole batch, in float32")]
Branch = Annotated[str, says("1×1, 3×3, 5×5 or pool; empty outside the branches of a module")]


class Step(TypedDict):
    """One layer."""

    name: Annotated[str, says("torch's dotted name, such as inception3a.branch2.1")]
    label: Annotated[str, says("what it is, such as 3×3 convolution")]
    branch: Branch
    kernel: Annotated[int, says("side of its window; 0 without one")]
    stride: int
    padding: int
    in_shape: Shape
    out_shape: Shape
    params: Params
    macs: Macs
    activation_bytes: ActivationBytes
    aux: Annotated[bool, says("whether it is in an auxiliary head, which only training runs")]
    padding_share: Annotated[Share, says("how many of the window's taps see padding in place of the map, from 0 to 1")]


class Sums(TypedDict):
    """What some layers come to."""

    params: Params
    macs: Macs
    activation_bytes: ActivationBytes
    out_shape: Shape


class PaperClaim(TypedDict):
    """A row of the paper's Table 1 as printed, computed by nobody here."""

    layers: Annotated[list[str], says("this lab's layers in that row")]
    row: str
    params: Annotated[str, says("as printed, such as 159K")]
    ops: Annotated[str, says("as printed, such as 128M")]
    reason: Annotated[str, says("why the printed figures are, or are not, what the row's channels give")]


class LayerSums(Sums):
    """What a layer comes to, beside what the paper says of it."""

    quoted: Annotated[PaperClaim | None, says("null where the paper quotes nothing")]


class Profile(TypedDict):
    """Totals, and every layer in the order in which it runs."""

    in_shape: Shape
    out_shape: Shape
    batch: int
    params: Params
    macs: Macs
    activation_bytes: ActivationBytes
    aux_params: Annotated[int, says("parameters of the auxiliary heads, which are not in params")]
    aux_macs: Annotated[int, says("multiply-adds of the auxiliary heads, which are not in macs")]
    counting: Annotated[str, says("how parameters, multiply-adds and bytes are counted, in words")]
    rows: list[Step]


class ModuleProfile(Profile):
    """One Inception module."""

    branches: Annotated[dict[str, Sums], says("by branch: 1×1, 3×3, 5×5 and pool")]


class NetworkProfile(Profile):
    """A whole network."""

    layers: Annotated[dict[str, LayerSums], says("by layer, such as conv1, inception3a and fc, in order")]
