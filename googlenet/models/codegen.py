"""A network or a module as PyTorch source that runs on its own, with torch alone.

Its parameters carry the lab's names, so that the tensors of a weights file load into it. Every value that is written
into the source has been checked by its configuration: names are identifiers, numbers are numbers.
"""

from __future__ import annotations

from textwrap import dedent, indent

from googlenet.config import (
    AuxConfig,
    ConvConfig,
    GoogLeNetConfig,
    InceptionConfig,
    Layer,
    LRNConfig,
    PoolConfig,
)
from googlenet.models.profile import Profile, Shape, profile_network

_SUFFIXES = {"5x5": "", "3x3": "3x3", "two 3x3": "Two3x3"}
_FIVES = {
    "5x5": "conv({arriving}, ch5x5, 5)",
    "3x3": "conv({arriving}, ch5x5, 3)",
    "two 3x3": "conv({arriving}, ch5x5, 3), conv(ch5x5, ch5x5, 3)",
}
_IMPORTS = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F"


def to_source(config: GoogLeNetConfig | InceptionConfig, *, batch_norm: bool = False) -> str:
    """Python source that needs torch alone: class `GoogLeNet` for a network, function `make_module` for a module.

    `batch_norm` is a module's; a network knows its own. The generated classes take batches (N, C, H, W); in training a
    network with heads gives its logits and then each head's. Raises `LabError` for a network that does not fit
    together.
    """
    if isinstance(config, InceptionConfig):
        return _module_source(config, batch_norm)
    profile = profile_network(config)
    modules = [layer for layer in config.layers if isinstance(layer, InceptionConfig)]
    relu = any(isinstance(layer, ConvConfig) and not layer.relu for layer in config.layers)
    parts = [
        _about(config, profile),
        _IMPORTS,
        _conv_block(config.batch_norm, optional_relu=relu),
        *_inception_classes(modules),
        *([_AUXILIARY] if config.aux else []),
        _network_class(config, profile),
        _network_main(config),
    ]
    return _joined(parts)


def _module_source(config: InceptionConfig, batch_norm: bool) -> str:
    name, widths = _inception_call(config)
    about = f'"""An Inception module: N × {config.in_channels} × H × W → N × {config.out_channels} × H × W."""'
    make = f"""
        def make_module():
            return {name}({widths})
    """
    main = f"""
        if __name__ == "__main__":
            module = make_module().eval()
            print(module(torch.randn(1, {config.in_channels}, 28, 28)).shape)
    """
    classes = _inception_classes([config])
    return _joined(
        [about, _IMPORTS, _conv_block(batch_norm, optional_relu=False), *classes, dedent(make), dedent(main)]
    )


def _joined(parts: list[str]) -> str:
    about, imports, *rest = (part.strip("\n") for part in parts)
    return "\n\n".join([about, imports, *("\n" + part for part in rest)]) + "\n"


# --- parts of a network ---------------------------------------------------------------------------


def _about(config: GoogLeNetConfig, profile: Profile) -> str:
    size = f"{config.in_channels} × {config.input_size} × {config.input_size}"
    heads = f"{profile.aux_params:,} of them are in auxiliary heads, which only training runs.\n" if config.aux else ""
    return f'''
"""GoogLeNet, {size} → {config.num_classes} classes: {profile.params:,} parameters.

{heads}Its parameters have the names of a weights file of GoogLeNet Lab:

    from safetensors.torch import load_file
    model = GoogLeNet()
    model.load_state_dict(load_file("weights.safetensors"))

Such a file's metadata holds the mean and standard deviation that normalised its images, in [0, 1].
"""
'''


def _conv_block(batch_norm: bool, *, optional_relu: bool) -> str:
    steps = ["Convolution", *(["batch norm"] if batch_norm else []), "ReLU"]
    result = "self.bn(self.conv(x))" if batch_norm else "self.conv(x)"
    lines = [
        "class ConvBlock(nn.Module):",
        f'    """{", ".join(steps)}."""',
        "",
        "    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0"
        + (", relu=True" if optional_relu else "")
        + "):",
        "        super().__init__()",
        "        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding"
        + (", bias=False" if batch_norm else "")
        + ")",
        *(["        self.bn = nn.BatchNorm2d(out_channels, eps=1e-3)"] if batch_norm else []),
        *(["        self.relu = relu"] if optional_relu else []),
        "",
        "    def forward(self, x):",
        *([f"        x = {result}", "        return F.relu(x) if self.relu else x"] if optional_relu else []),
        *([] if optional_relu else [f"        return F.relu({result})"]),
    ]
    return "\n".join(lines)


def _inception_classes(modules: list[InceptionConfig]) -> list[str]:
    """The source of each kind of module among `modules`, once."""
    return list({_inception_name(module): _inception_class(module) for module in modules}.values())


def _inception_name(module: InceptionConfig) -> str:
    return f"Inception{'Naive' if module.naive else ''}{_SUFFIXES[module.ch5x5_variant]}"


def _inception_class(module: InceptionConfig) -> str:
    variant = module.ch5x5_variant
    if module.naive:
        arguments, gives = "ch1x1, ch3x3, ch5x5", "ch1x1 + ch3x3 + ch5x5 + in_channels"
        fives = _FIVES[variant].format(arriving="in_channels")
        branches = [
            "conv(in_channels, ch3x3, 3)",
            f"nn.Sequential({fives})" if module.ch5x5_convs > 1 else fives,
            "nn.MaxPool2d(3, stride=1, padding=1)",
        ]
    else:
        arguments = "ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj"
        gives = "ch1x1 + ch3x3 + ch5x5 + pool_proj"
        branches = [
            "nn.Sequential(conv(in_channels, ch3x3red, 1), conv(ch3x3red, ch3x3, 3))",
            f"nn.Sequential(conv(in_channels, ch5x5red, 1), {_FIVES[variant].format(arriving='ch5x5red')})",
            "nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv(in_channels, pool_proj, 1))",
        ]
    return dedent(f'''
        class {_inception_name(module)}(nn.Module):
            """N × in_channels × H × W → N × ({gives}) × H × W."""

            def __init__(self, in_channels, {arguments}):
                super().__init__()

                def conv(inside, outside, kernel_size):
                    return ConvBlock(inside, outside, kernel_size, padding=kernel_size // 2)

                self.branch1 = conv(in_channels, ch1x1, 1)
                self.branch2 = {branches[0]}
                self.branch3 = {branches[1]}
                self.branch4 = {branches[2]}

            def forward(self, x):
                return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)
    ''')


_AUXILIARY = '''
class AuxiliaryClassifier(nn.Module):
    """A classifier in the middle, whose loss feeds gradient to the layers before it: N × C × H × W → N × classes."""

    def __init__(self, in_channels, pool, channels, features, hidden, num_classes, dropout):
        super().__init__()
        self.pool = pool
        self.conv = ConvBlock(in_channels, channels, 1)
        self.fc1 = nn.Linear(features, hidden)
        self.fc2 = nn.Linear(hidden, num_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = self.conv(self.pool(x)).flatten(1)
        return self.fc2(self.dropout(F.relu(self.fc1(x))))
'''


def _inception_call(module: InceptionConfig) -> tuple[str, str]:
    """The class of a module and its arguments."""
    reduced = (module.ch1x1, module.ch3x3red, module.ch3x3, module.ch5x5red, module.ch5x5, module.pool_proj)
    widths = (module.ch1x1, module.ch3x3, module.ch5x5) if module.naive else reduced
    return _inception_name(module), ", ".join(map(str, (module.in_channels, *widths)))


def _layer_call(layer: Layer) -> str:
    match layer:
        case InceptionConfig():
            return "{}({})".format(*_inception_call(layer))
        case ConvConfig():
            stride = f", stride={layer.stride}" if layer.stride != 1 else ""
            padding = f", padding={layer.padding}" if layer.padding else ""
            relu = "" if layer.relu else ", relu=False"
            return f"ConvBlock({layer.in_channels}, {layer.out_channels}, {layer.kernel}{stride}{padding}{relu})"
        case PoolConfig():
            ceil_mode = ", ceil_mode=True" if layer.ceil_mode else ""
            return f"nn.MaxPool2d({layer.kernel}, stride={layer.stride}, padding={layer.padding}{ceil_mode})"
        case LRNConfig():
            return f"nn.LocalResponseNorm({layer.size}, alpha=1e-4, beta=0.75, k=1.0)"


def _head_call(head: AuxConfig, features: int, num_classes: int) -> str:
    pool = f"nn.AdaptiveAvgPool2d({head.adaptive})" if head.adaptive else "nn.AvgPool2d(5, stride=3)"
    sizes = f"{head.channels}, {features}, {head.hidden}, {num_classes}, {head.dropout!r}"
    return f"AuxiliaryClassifier({head.in_channels}, {pool}, {sizes})"


def _network_class(config: GoogLeNetConfig, profile: Profile) -> str:
    rows = {row.name: row for row in profile.rows}
    after = {name: sums.out_shape for name, sums in profile.by_layer().items()}
    heads = {head.after: head for head in config.aux}
    init = [f"self.{layer.name} = {_layer_call(layer)}" for layer in config.layers]
    for head in config.aux:
        call = _head_call(head, rows[f"{head.name}.fc1"].in_channels, config.num_classes)
        init.append(f"self.{head.name} = {call}")
    init += [f"self.dropout = nn.Dropout({config.dropout!r})"] if config.dropout else []
    init.append(f"self.fc = nn.Linear({rows['fc'].in_channels}, {config.num_classes})")

    forward, answers = [], ["x"]
    for layer in config.layers:
        forward.append(f"x = self.{layer.name}(x)  # {_batch(after[layer.name])}")
        if layer.name in heads:
            name = heads[layer.name].name
            answers.append(f"{name}_logits")
            forward.append(f"{answers[-1]} = self.{name}(x) if self.training else None")
    if config.average_pool:
        forward.append("x = F.adaptive_avg_pool2d(x, 1)")
    flat = "self.dropout(x.flatten(1))" if config.dropout else "x.flatten(1)"
    forward.append(f"x = self.fc({flat})  # N × {config.num_classes}")
    forward.append(f"return ({', '.join(answers)}) if self.training else x" if config.aux else "return x")
    return "\n".join(
        [
            "class GoogLeNet(nn.Module):",
            "    def __init__(self):",
            "        super().__init__()",
            *(indent(line, " " * 8) for line in init),
            "",
            f"    def forward(self, x):  # {_batch(profile.in_shape)}",
            *(indent(line, " " * 8) for line in forward),
        ]
    )


def _network_main(config: GoogLeNetConfig) -> str:
    size = f"{config.in_channels}, {config.input_size}, {config.input_size}"
    return dedent(f"""
        if __name__ == "__main__":
            model = GoogLeNet().eval()
            logits = model(torch.randn(1, {size}))
            print(f"{{sum(p.numel() for p in model.parameters()):,}} parameters, logits {{tuple(logits.shape)}}")
    """)


def _batch(shape: Shape) -> str:
    return " × ".join(["N", *map(str, shape)])
