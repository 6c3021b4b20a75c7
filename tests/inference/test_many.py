"""Many pictures: what is found in files, folders and zips, hostile ones too, and what comes of it."""

from __future__ import annotations

import csv
import io
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image
from tiny import CLASSES, tiny_checkpoint

from googlenet.data import pictures, zips
from googlenet.data.images import fit_image, pixels_to_decode, read_image
from googlenet.data.pictures import Found, find_pictures
from googlenet.errors import LabError
from googlenet.inference.classifier import Classifier
from googlenet.inference.many import ManyAnswers, Row, answer_rows, classify_all
from googlenet.language import language, speaking


def picture(seed: int = 0, size: tuple[int, int] = (40, 30), kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize(size).save(buffer, kind)
    return buffer.getvalue()


def pack(path: Path, entries: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def names(*sources: object, **options: object) -> tuple[list[tuple[str, str]], list[str]]:
    with find_pictures(sources, **options) as found:  # type: ignore[arg-type]
        return [(one.name, one.folder) for one in found.found], found.remarks


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    novelty = {"score": "energy", "threshold": -3.0, "false_alarm": 0.05}
    return Classifier(tiny_checkpoint(tmp_path_factory.mktemp("many") / "tiny.safetensors", novelty=novelty), "cpu")


def answer_all(classifier: Classifier, *sources: object, **options: object) -> ManyAnswers:
    with find_pictures(sources) as found:  # type: ignore[arg-type]
        return classify_all(classifier, found, **options)  # type: ignore[arg-type]


# --- what is found ----------------------------------------------------------------------------


def test_a_folder_gives_its_pictures_and_counts_the_rest(tmp_path: Path) -> None:
    for name in (
        "cat/1.png",
        "cat/2.JPG",
        "dog/3.png",
        ".hidden/4.png",
        "Thumbs.db",
        "notes.txt",
        "more.txt",
        "README",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture())
    (tmp_path / "ring").symlink_to(tmp_path)
    found, remarks = names(tmp_path)
    assert found == [("cat/1.png", "cat"), ("cat/2.JPG", "cat"), ("dog/3.png", "dog")]
    assert remarks == ["Passed over 3 files not named like pictures: 2 .txt, 1 without an ending."]


def test_heic_pictures_are_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    (tmp_path / "IMG_1.HEIC").write_bytes(b"x")
    assert names(tmp_path)[1] == ["IMG_1.HEIC is a HEIC picture, which cannot be read here: convert it to JPEG."]
    path = pack(tmp_path / "b.zip", {"b.png": picture(), "c.heic": b"x", "d/e.heif": b"x", "f.txt": b"x"})
    assert names(path)[1] == [
        "2 files are HEIC, which cannot be read here: convert them to JPEG.",
        "Passed over 1 file not named like pictures: 1 .txt.",
    ]
    with pytest.raises(LabError, match=r"^No pictures to answer\. 1\.hif is a HEIC picture, .*JPEG\.$"):
        find_pictures([], foreign=["1.hif"])


def test_a_single_file_is_always_tried_and_a_missing_one_named(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "upload").write_bytes(picture())
    found, remarks = names(
        tmp_path / "cat" / "upload", tmp_path / "none.png", (tmp_path / "cat" / "upload", "dog/x.png")
    )
    assert [folder for _, folder in found] == ["cat", "dog"]
    assert remarks == [f"There is no file or folder '{tmp_path}/none.png'."]


def test_nothing_to_answer_is_one_refusal(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(
        LabError, match=r"^No pictures to answer\. Passed over 1 file not named like pictures: 1 \.txt\.$"
    ):
        names(tmp_path)


def test_the_limit_is_said(tmp_path: Path) -> None:
    path = pack(tmp_path / "many.zip", {f"{i}.png": b"x" for i in range(7)})
    found, remarks = names(path, limit=5)
    assert len(found) == 5
    assert remarks == ["Only the first 5 of 7 pictures: that is the limit."]


# --- hostile zips -----------------------------------------------------------------------------


def test_names_that_lead_out_links_and_litter_are_left_out(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        outside = ("../../up.png", "/root/abs.png", "C:/windows.png", "a/../../b.png", "..\\win.png")
        for name in (*outside, "cat/good.png", "__MACOSX/cat/._good.png", ".DS_Store", "inner.zip", "x.exe"):
            archive.writestr(name, picture())
        archive.writestr(link, "/etc/passwd")
    before = sorted(tmp_path.parent.rglob("*"))
    found, remarks = names(path)
    assert found == [("cat/good.png", "cat")]
    assert remarks == [
        "Passed over 2 files not named like pictures: 1 .zip, 1 .exe.",
        "Left out of odd.zip: 5 files (a name that leads out of the zip), 1 file (only a link to another file).",
    ]
    assert sorted(tmp_path.parent.rglob("*")) == before  # nothing was written anywhere


def test_an_encrypted_entry_and_a_strange_packing_are_left_out(tmp_path: Path) -> None:
    path = pack(tmp_path / "locked.zip", {"a.png": picture(), "b.png": picture()}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02")  # the first entry's line in the list: its flags stand at 8
    content[place + 8] |= 1
    path.write_bytes(content)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("c.png", picture())
    found, remarks = names(path)
    assert [name for name, _ in found] == ["b.png"]
    assert remarks == [
        "Left out of locked.zip: 1 file (locked with a password), 1 file (packed in a way that is not read here)."
    ]


def test_bombs_are_refused_by_what_they_declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = pack(tmp_path / "bomb.zip", {"zero.png": bytes(60_000_000)})
    with pytest.raises(LabError, match=r"bomb\.zip would unpack from 58 kB to 60 MB, as zip bombs do: nothing in it"):
        names(bomb)
    beside = {"zero.png": bytes(40_000_000), "good.png": np.random.default_rng(0).bytes(600_000)}
    found, remarks = names(pack(tmp_path / "one.zip", beside))
    assert [name for name, _ in found] == ["good.png"]
    assert "1 file (a hundred times its size when unpacked" in remarks[0]
    monkeypatch.setattr(zips, "MAX_ENTRIES", 5)
    with pytest.raises(LabError, match=r"has 6 files in it and the limit is 5"):
        names(pack(tmp_path / "wide.zip", {f"{i}.png": b"x" for i in range(6)}))
    monkeypatch.setattr(zips, "MAX_DIRECTORY", 200)
    with pytest.raises(LabError, match="lists more than 5 files"):
        names(pack(tmp_path / "list.zip", {f"{i}.png": b"x" for i in range(4)}))


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_declares(tmp_path: Path, classifier: Classifier) -> None:
    path = pack(tmp_path / "liar.zip", {"zero.png": bytes(60_000_000), "good.png": picture()})
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<L", 1000)  # the declared size
    path.write_bytes(content)
    with find_pictures([path]) as found, pytest.raises(LabError, match=r"zero\.png is damaged inside the zip"):
        found.found[0].read()
    assert [bool(row.error) for row in answer_all(classifier, path).rows] == [True, False]


def test_what_is_unpacked_together_has_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classifier: Classifier
) -> None:
    size = len(picture())
    monkeypatch.setattr(zips, "MAX_UNPACKED", 2 * size)
    answers = answer_all(classifier, pack(tmp_path / "much.zip", {f"{i}.png": picture() for i in range(3)}))
    assert sum("unpacks to more than" in row.error for row in answers.rows) == 1


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"PK\x03\x04" + bytes(50), b"text", bytes(100_000)])
def test_what_is_no_zip_is_refused_and_the_rest_is_done(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "no.zip").write_bytes(content)
    (tmp_path / "good.png").write_bytes(picture())
    found, remarks = names(tmp_path / "no.zip", (tmp_path / "good.png", "good.png"))
    assert ([name for name, _ in found], remarks) == (
        ["good.png"],
        ["no.zip is damaged or no zip: nothing in it was read."],
    )


def test_names_in_odd_encodings_are_shown_as_text(tmp_path: Path) -> None:
    path = pack(tmp_path / "names.zip", {"<img src=x>.png": b"x", "\u202egnp.png": b"x", "n" * 400 + ".png": b"x"})
    content = pack(tmp_path / "utf8.zip", {"k_tzchen.png": b"x"}).read_bytes().replace(b"k_tzchen", "kätzche".encode())
    (tmp_path / "utf8.zip").write_bytes(content)
    found, _ = names(path, tmp_path / "utf8.zip")
    shown = [name for name, _ in found]
    assert shown[:2] == ["<img src=x>.png", "�gnp.png"]
    assert len(shown[2]) == pictures.MAX_NAME
    assert shown[3] == "kätzche.png"


def test_too_many_zips_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_ZIPS", 1)
    paths = [pack(tmp_path / f"{i}.zip", {"a.png": b"x"}) for i in range(2)]
    found, remarks = names(*paths)
    assert (len(found), remarks) == (1, ["1.zip is one zip too many: give up to 1 at once."])


# --- what comes of it -------------------------------------------------------------------------


def test_rows_say_what_one_picture_says(tmp_path: Path, classifier: Classifier) -> None:
    entries = {f"{CLASSES[i % 3]}/{i}.png": picture(i) for i in range(40)}
    answers = answer_all(classifier, pack(tmp_path / "all.zip", entries), thumbnails=16)
    assert [row.name for row in answers.rows] == list(entries)
    for row, content in zip(answers.rows, entries.values(), strict=True):
        alone = classifier.answer(content)
        (first, share), (second, next_share), *_ = alone.probabilities.items()
        assert (row.answer, row.runner_up, row.label) == (first, second, row.name.split("/")[0])
        assert (row.probability, row.runner_up_probability) == pytest.approx((share, next_share), abs=1e-5)
        assert alone.novelty
        assert row.unlike_training == alone.novelty.unlike_training
        assert read_image(row.thumbnail).size == (16, 16)
    judged = answers.evaluation
    assert judged
    assert judged.accuracy == sum(bool(row.right) for row in answers.rows) / 40
    assert sum(map(sum, judged.confusion)) == 40


def test_damaged_pictures_get_a_row_that_says_so(tmp_path: Path, classifier: Classifier) -> None:
    entries = {
        "cat/cut.png": picture()[:200],
        "cat/words.jpg": b"words",
        "cat/empty.png": b"",
        "dog/good.png": picture(),
    }
    rows = answer_all(classifier, pack(tmp_path / "some.zip", entries)).rows
    assert [row.error.split(":")[0] for row in rows] == [
        "cat/cut.png is damaged or cut short",
        "cat/words.jpg is not a picture that can be read",
        "cat/empty.png is empty",
        "",
    ]
    assert [row.right is None for row in rows] == [True, True, True, False]


def test_without_labels_there_is_no_accuracy(tmp_path: Path, classifier: Classifier) -> None:
    assert answer_all(classifier, pack(tmp_path / "plain.zip", {"1.png": picture()})).evaluation is None


def test_folders_are_labels_in_any_case(tmp_path: Path, classifier: Classifier) -> None:
    rows = answer_all(classifier, pack(tmp_path / "z.zip", {"CAT/1.png": picture(), "birds/2.png": picture()})).rows
    assert [row.label for row in rows] == ["cat", None]


def test_stopping_keeps_what_is_done_and_ends_the_work(tmp_path: Path, classifier: Classifier) -> None:
    path = pack(tmp_path / "long.zip", {f"{i}.png": picture() for i in range(200)})
    looks = iter(range(1000))
    heard: list[str] = []
    stop = {"stopped": lambda: next(looks) >= 20, "progress": lambda share, text: heard.append(text)}
    answers = answer_all(classifier, path, **stop)
    assert (len(answers.rows), answers.total) == (21, 200)


def test_only_a_few_pictures_are_in_memory(classifier: Classifier) -> None:
    """What is read ahead does not grow with the number of pictures."""
    read: list[int] = []

    def found(index: int) -> pictures.Found:
        return pictures.Found(f"{index}.png", "", lambda: read.append(index) or picture())  # type: ignore[func-returns-value]

    rows = answer_rows(classifier, [found(index) for index in range(500)])
    next(rows)
    rows.close()
    assert len(read) <= 16 * (torch.get_num_threads() + 2)


def test_threads_of_others_stay(tmp_path: Path, classifier: Classifier) -> None:
    before = torch.get_num_threads()
    answer_all(classifier, pack(tmp_path / "z.zip", {"1.png": picture()}))
    assert torch.get_num_threads() == before


def test_a_spreadsheet_runs_no_name(classifier: Classifier, tmp_path: Path) -> None:
    bad = ("=1+1.png", "+x.png", "-x.png", "@x.png", "\tx.png")
    answers = answer_all(classifier, pack(tmp_path / "f.zip", {name: picture() for name in bad}))
    lines = list(csv.DictReader(io.StringIO(answers.to_csv())))
    assert [line["file"][:2] for line in lines] == ["'=", "'+", "'-", "'@", "�x"]
    assert float(lines[0]["probability"]) == pytest.approx(answers.rows[0].probability)
    assert list(lines[0]) == list(Row("").to_dict())


def test_a_diverged_network_is_refused(tmp_path: Path) -> None:
    classifier = Classifier(tiny_checkpoint(tmp_path / "nan.safetensors"), "cpu")
    with torch.no_grad():
        classifier.model.fc.bias.fill_(float("nan"))
    with pytest.raises(LabError, match="diverged"):
        answer_all(classifier, pack(tmp_path / "z.zip", {"1.png": picture()}))


def test_a_reduced_photograph_stands_upright() -> None:
    turned, exif = io.BytesIO(), Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.linear_gradient("L").convert("RGB").resize((2000, 1000)).save(turned, "JPEG", exif=exif)
    assert read_image(turned.getvalue(), at_least=200).size == (250, 500)


def test_only_what_is_decoded_whole_waits_for_its_turn() -> None:
    page, plain, progressive = Image.new("RGB", (2000, 1000)), io.BytesIO(), io.BytesIO()
    page.save(plain, "JPEG")
    page.save(progressive, "JPEG", progressive=True)
    counts = [pixels_to_decode(file.getvalue(), 200) for file in (plain, progressive)]
    assert counts == [500 * 250, 2000 * 1000]
    assert pixels_to_decode(b"words", 200) == 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_photographs_are_decoded_smaller_with_the_same_pixels(kind: str) -> None:
    wide = Image.effect_noise((100, 75), 60).convert("RGB").resize((2000, 1500), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    wide.save(buffer, kind, quality=90)
    whole, reduced = (read_image(buffer.getvalue(), at_least=least) for least in (None, 256))
    assert reduced.size == ((500, 375) if kind == "JPEG" else (2000, 1500))
    difference = np.asarray(fit_image(whole, 32), int) - np.asarray(fit_image(reduced, 32), int)
    assert np.abs(difference).max() <= 1


def test_other_threads_speak_the_language_of_who_asked(classifier: Classifier) -> None:
    heard: list[str] = []

    def read() -> bytes:
        heard.append(language())
        return b""

    found = [Found(f"{number}.png", "", read) for number in range(3)]
    with speaking("ko"):
        assert len(list(answer_rows(classifier, found))) == 3
    assert heard == ["ko"] * 3
