"""GGUF headers are read as they are, and a damaged or hostile one is one error."""

import dataclasses
import struct
import time
import tracemalloc
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from gguf import GGUFValueType
from gguf_parts import Parts, add_odd_keys, make_parts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spokesmith.bases.gguf_header import MAX_STRING_BYTES
from spokesmith.bases.gguf_reader import MAX_HEADER_BYTES, MAX_ITEMS, read_header
from spokesmith.export.gguf_base import read_base
from spokesmith.export.gguf_plan import entry_bytes


def text(words: str) -> bytes:
    return struct.pack("<Q", len(words.encode())) + words.encode()


def a_file(
    path: Path,
    *,
    keys: bytes = b"",
    num_keys: int = 0,
    tensors: bytes = b"",
    num_tensors: int = 0,
    data: bytes = b"",
    version: int = 3,
) -> Path:
    """A file made by hand."""
    head = b"GGUF" + struct.pack("<IQQ", version, num_tensors, num_keys) + keys + tensors
    path.write_bytes(head + bytes(-len(head) % 32) + data)
    return path


def a_tensor(name: str, dims: tuple[int, ...], kind: int, offset: int) -> bytes:
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


def test_it_says_what_the_library_says(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "a.gguf", "llama")
    add_odd_keys(writer)
    writer.add_custom_alignment(64)
    writer.add_tensor("a", np.arange(12, dtype=np.float32).reshape(3, 4))
    quantised = gguf.quantize(np.ones((2, 64), np.float32), gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("b", quantised, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found, wanted = read_header(tmp_path / "a.gguf"), gguf.GGUFReader(tmp_path / "a.gguf")
    assert found.alignment == wanted.alignment == 64
    fields = {key: one for key, one in wanted.fields.items() if not key.startswith("GGUF.")}
    assert list(found.entries) == list(fields)
    for key, field in fields.items():
        entry = found.entries[key]
        assert entry.type == field.types[-1]
        assert entry.is_array == (field.types[0] == GGUFValueType.ARRAY)
        if entry.is_array and entry.type == GGUFValueType.STRING:
            assert found.texts(key) == field.contents()
        else:
            assert found.value(key) == field.contents()
    assert [info.name for info in found.tensors.values()] == [one.name for one in wanted.tensors]
    for info, one in zip(found.tensors.values(), wanted.tensors, strict=True):
        assert (info.offset, info.size) == (one.data_offset, one.n_bytes)
        assert info.dims == tuple(map(int, one.shape))


def test_entries_are_written_as_they_are_read(tmp_path: Path) -> None:
    values = {"a": 7, "b": "zwölf", "c": [1, 2], "d": [0.5, 0.25], "e": 1.5}
    keys = b"".join(entry_bytes(key, value) for key, value in values.items())
    found = read_header(a_file(tmp_path / "a", keys=keys, num_keys=len(values)))
    assert {key: found.value(key) for key in values} == values
    assert found.integers("a") == [7]
    assert found.integers("c") == [1, 2]
    assert found.integers("none") == []
    with pytest.raises(ValueError, match=r"b = 'zwölf': want one whole number"):
        found.integer("b")
    with pytest.raises(ValueError, match=r"d holds 0\.5: want whole numbers"):
        found.integers("d")


def test_a_tensor_of_an_unknown_type_reaches_to_the_next(tmp_path: Path) -> None:
    tensors = a_tensor("a", (5,), 999, 0) + a_tensor("b", (8,), 0, 64)
    path = a_file(tmp_path / "a", tensors=tensors, num_tensors=2, data=bytes(96))
    found = read_header(path).tensors
    assert found["a"].size == 64
    assert found["a"].type_name == "type 999"
    assert found["b"].size == 32


HUGE = 2**63
BAD_KEYS = {
    "reaches past the file": struct.pack("<Q", 50) + b"short",
    "has 70000 bytes, at most": struct.pack("<Q", 70_000) + bytes(70_000),
    "is no UTF-8": struct.pack("<Q", 2) + b"\xff\xfe" + struct.pack("<II", 4, 1),
    "unknown type 77": text("k") + struct.pack("<II", 77, 1),
    "an array of arrays": text("k") + struct.pack("<IIQ", 9, 9, 1) + bytes(20),
    "the value of 'k' reaches past the file": text("k") + struct.pack("<IIQ", 9, 5, HUGE),
    "the value of 'k' reaches": text("k") + struct.pack("<IQ", 8, HUGE) + bytes(10),
    "of 'k' reaches past": text("k") + struct.pack("<IIQ", 9, 8, HUGE) + bytes(10),
    "want a UINT32": text("general.alignment") + struct.pack("<IQ", 10, 32),
    "want a power of two": text("general.alignment") + struct.pack("<II", 4, 24),
    "1048576": text("general.alignment") + struct.pack("<II", 4, 2**30),
}


@pytest.mark.parametrize("words", BAD_KEYS)
def test_a_bad_key_is_one_error(tmp_path: Path, words: str) -> None:
    path = a_file(tmp_path / "a", keys=BAD_KEYS[words], num_keys=1)
    with pytest.raises(ValueError, match=words) as error:
        read_header(path)
    assert "is damaged" in str(error.value)
    assert "\n" not in str(error.value)


BAD_TENSORS = {
    "reaches past the end of the file": [a_tensor("a", (64,), 0, 0)],
    "'b' reaches past the end": [a_tensor("a", (8,), 0, 0), a_tensor("b", (8,), 0, HUGE)],
    "overlaps another": [a_tensor("a", (16,), 0, 0), a_tensor("b", (8,), 0, 32)],
    "'a' overlaps": [a_tensor("a", (8,), 999, 0), a_tensor("b", (8,), 0, 0)],
    "is not aligned": [a_tensor("a", (4,), 0, 4)],
    "is there twice": [a_tensor("a", (8,), 0, 0), a_tensor("a", (8,), 0, 32)],
    "has 9 dimensions": [a_tensor("a", (1,) * 9, 0, 0)],
    "has 0 dimensions": [a_tensor("a", (), 0, 0)],
    "which is empty": [a_tensor("a", (4, 0), 0, 0)],
    "no multiple of 32": [a_tensor("a", (33,), 8, 0)],
    "reaches past": [a_tensor("a", (HUGE, HUGE, HUGE, HUGE), 0, 0)],
}


@pytest.mark.parametrize("words", BAD_TENSORS)
def test_a_bad_tensor_is_one_error(tmp_path: Path, words: str) -> None:
    tensors = BAD_TENSORS[words]
    path = a_file(
        tmp_path / "a", tensors=b"".join(tensors), num_tensors=len(tensors), data=bytes(64)
    )
    with pytest.raises(ValueError, match=words):
        read_header(path)


def test_what_is_no_gguf_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file at"):
        read_header(tmp_path / "none.gguf")
    (tmp_path / "a").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match="does not start with 'GGUF'"):
        read_header(tmp_path / "a")
    with pytest.raises(ValueError, match="of version 1, only versions 2 and 3"):
        read_header(a_file(tmp_path / "a", version=1))
    with pytest.raises(ValueError, match="of a big-endian machine"):
        read_header(a_file(tmp_path / "a", version=3 << 24))
    twice = entry_bytes("k", 1) * 2
    with pytest.raises(ValueError, match="the key 'k' is there twice"):
        read_header(a_file(tmp_path / "a", keys=twice, num_keys=2))


def test_huge_counts_take_neither_time_nor_memory(tmp_path: Path) -> None:
    """Also where the file is large enough for what it claims."""
    many = text("k") + struct.pack("<IIQ", 9, 8, 2**40)
    paths = [
        a_file(tmp_path / "keys", num_keys=HUGE),
        a_file(tmp_path / "tensors", num_tensors=HUGE),
        a_file(tmp_path / "strings", keys=many, num_keys=1),
    ]
    for path in paths:
        # A hole: terabytes by name, no bytes on the disk.
        with path.open("rb+") as file:
            file.truncate(1 << 42)
    tracemalloc.start()
    start = time.perf_counter()
    for path in paths:
        words = f"at most 65536 are read|past the first {MAX_HEADER_BYTES >> 20} MiB"
        with pytest.raises(ValueError, match=words):
            read_header(path)
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize("kind", [GGUFValueType.INT8, GGUFValueType.STRING])
def test_a_list_of_too_many_items_is_refused(tmp_path: Path, kind: GGUFValueType) -> None:
    """Also where the file has all of them: what reads them makes an object of each."""
    count = MAX_ITEMS + 1
    keys = text("k") + struct.pack("<IIQ", GGUFValueType.ARRAY, kind, count)
    path = a_file(tmp_path / "a", keys=keys, num_keys=1, data=bytes(8 * count))
    with pytest.raises(ValueError, match=f"of 'k' has {count} items, at most {MAX_ITEMS} are read"):
        read_header(path)


def test_values_of_another_kind_are_said(tmp_path: Path) -> None:
    long = "x" * (MAX_STRING_BYTES + 1)
    listed = text("list") + struct.pack("<IIQ", 9, 8, 1) + text("one")
    keys = entry_bytes("one", "text") + entry_bytes("long", long) + listed
    found = read_header(a_file(tmp_path / "a", keys=keys, num_keys=3))
    assert (found.texts("list"), found.texts("none")) == (["one"], [])
    with pytest.raises(ValueError, match="one is no list of texts"):
        found.texts("one")
    with pytest.raises(ValueError, match="list is a list of texts: want one value"):
        found.value("list")
    with pytest.raises(ValueError, match=f"long has {MAX_STRING_BYTES + 9} bytes: too long"):
        found.value("long")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    sizes = {"num_layers": 1, "hidden_size": 32, "vocab_size": 259}
    return make_parts(tmp_path_factory.mktemp("whole"), extra=True, sizes=sizes)


NUMBERS = st.sampled_from([0, 1, 7, 8, 9, 255, 2**16, 2**31, 2**32 - 1, 2**40, 2**63, 2**64 - 1])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_change_of_a_file_does_more_than_a_value_error(
    whole: Parts, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    changed = bytearray(whole.path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed) - 1))
        # Most of the file is weights, which nothing reads here.
        place = place if data.draw(st.booleans()) else place % 2000
        match data.draw(st.sampled_from(["cut", "byte", "number", "insert", "remove", "noise"])):
            case "cut":
                del changed[max(place, 8) :]
            case "byte":
                changed[place] = data.draw(st.integers(0, 255))
            case "number":
                changed[place : place + 8] = struct.pack("<Q", data.draw(NUMBERS))
            case "insert":
                changed[place:place] = data.draw(st.binary(max_size=40))
            case "remove":
                del changed[place : place + data.draw(st.integers(1, 40))]
            case _:
                noise = data.draw(st.binary(min_size=1, max_size=200))
                changed[place : place + len(noise)] = noise
        if len(changed) < 10:
            break
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    folder.mkdir(exist_ok=True)
    path, out = folder / "base.gguf", folder / "out.gguf"
    path.write_bytes(changed)

    def no_base() -> Any:
        raise ValueError("there is no base")

    words = ""
    try:
        read_base(path)
        dataclasses.replace(whole, path=path).graft(out, find=no_base)
    except ValueError as error:
        words = str(error)
    assert "\n" not in words
    assert out.exists() != bool(words)
    out.unlink(missing_ok=True)
    assert [one.name for one in folder.iterdir()] == ["base.gguf"]
