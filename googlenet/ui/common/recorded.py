"""What a weights file recorded about itself, which is English, in the reader's language: only the lab's own wordings.

A file may come from anywhere: words that are none of these are shown as they are.
"""

from __future__ import annotations

import re

from googlenet.language import mark, tr

# Pictures of something else, as benchmarks/novelty.py names them.
KINDS = (
    mark("drawn shapes"),
    mark("pixel noise"),
    mark("plain colours"),
    mark("colour gradients"),
    mark("lines of text"),
    mark("CIFAR-10 in shuffled patches"),
    mark("handwritten digits"),
    mark("textures"),
    mark("photographs of other things"),
    mark("photographs near a class"),
)
# Images and data sets, as inference/selection/judges.py, benchmarks/novelty.py and data/datasets.py name them.
WORDINGS = {
    r"(?P<n>[\d,]+) validation images of (?P<name>.+)": mark("{n} validation images of {name}"),
    r"(?P<n>[\d,]+) test images of (?P<name>.+)": mark("{n} test images of {name}"),
    r"the (?P<n>[\d,]+) images of (?P<name>.+) that the training held out": mark(
        "the {n} images of {name} that the training held out"
    ),
    r"folder (?P<folder>[^/]+)": mark("folder {folder}"),
}


def recorded(text: str) -> str:
    """`text` of a file, in the reader's language where it is one of the lab's wordings."""
    if text in KINDS:
        return tr(text)
    for pattern, words in WORDINGS.items():
        if found := re.fullmatch(pattern, text):
            values = found.groupdict()
            if "name" in values:
                values["name"] = recorded(values["name"])
            return tr(words, **values)
    return text
