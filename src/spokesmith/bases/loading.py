"""Loading a base by name or path: where it is, in which precision, on which device.

What a base's configuration, its tokenizer and this machine's memory can tell is found before its
weights are read; weights that its files lack are found as they are.
"""

import copy
import hashlib
import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from spokesmith.bases.base import Base, chat_of, make_base
from spokesmith.bases.chat import ChatFormat
from spokesmith.bases.embedded import (
    EMBEDDED,
    build_once,
    dequantise,
    refuse_misread,
    unpack_embedded,
    unpacked_folder,
)
from spokesmith.bases.families import Family, family_of
from spokesmith.bases.four_bits import four_bit_choices, keep_as_stored, unpack_four_bits
from spokesmith.bases.host_table import HostTable

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
TABLE_PLACES = ("device", "cpu")
# In multimodal checkpoints the text part's names start so; alone, they start with `model.`.
TEXT_PREFIXES = {r"^model\.language_model\.": "model.", r"^language_model\.model\.": "model."}

log = logging.getLogger("spokesmith")


@dataclass(frozen=True, kw_only=True)
class BaseSource:
    """A base before its weights are read. `config` is the text part's configuration."""

    name: str
    location: str
    config: Any
    whole_config: Any
    family: Family
    tokenizer: Any

    @property
    def chat(self) -> ChatFormat:
        """The turn format."""
        return chat_of(self.tokenizer, self.family)


def find_base(name_or_path: str) -> BaseSource:
    """Read a base's configuration and tokenizer, and check them.

    Args:
        name_or_path: an embedded name, a Hugging Face folder or id, or a GGUF file.

    Raises:
        ValueError: the base cannot be found, belongs to no known family, or has no chat template,
            no end token or a tokenizer that does not fit.
    """
    from transformers import AutoConfig, AutoTokenizer, PretrainedConfig

    location = _find_location(name_or_path)
    with _plain_errors(name_or_path):
        entries, _ = PretrainedConfig.get_config_dict(location)
        family = family_of(str(entries.get("model_type")))
        whole_config = AutoConfig.from_pretrained(location)
        tokenizer = AutoTokenizer.from_pretrained(location)
    config = whole_config.get_text_config(decoder=True)
    chat_of(tokenizer, family)
    if len(tokenizer) > config.vocab_size:
        raise ValueError(
            f"the tokenizer of '{name_or_path}' has {len(tokenizer)} tokens, the model "
            f"{config.vocab_size}: they do not belong together, use the tokenizer of this base"
        )
    return BaseSource(
        name=name_or_path,
        location=location,
        config=config,
        whole_config=whole_config,
        family=family,
        tokenizer=tokenizer,
    )


def num_parameters(source: BaseSource) -> int:
    """How many parameters the text part has, found without loading it."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(copy.deepcopy(source.config))
    return model.num_parameters()


def load_base(
    name_or_path: str,
    *,
    dtype: str = "auto",
    device: str = "auto",
    quantize: str = "none",
    ple: str = "device",
    device_map: str | dict[str, Any] | None = None,
    unpack: bool = False,
) -> Base:
    """Load a base, frozen and in evaluation mode. Only the text part of a multimodal one is read.

    Args:
        name_or_path: an embedded name, a Hugging Face folder or id, or a GGUF file.
        dtype: float32, bfloat16, or auto: bfloat16 where the processor multiplies it natively.
        device: cpu, cuda, or auto: a GPU where there is one.
        quantize: none, or nf4: 4-bit weights with double quantisation, by bitsandbytes, but for
            those of `four_bits.WHOLE_IN_NF4`.
        ple: where a table of per-layer embeddings stays: device, or cpu (the host's memory).
        device_map: as accelerate knows it, to spread the layers over several GPUs.
        unpack: hold four-bit weights in the base's precision: the same values, as fast and as
            large as those of a base that is not quantised.

    Raises:
        ValueError: the base cannot be found, is not fit for spokes, does not fit into memory, or
            an option is wrong.
    """
    where, chosen_dtype, quantization = choose(dtype, device, quantize, ple)
    source = find_base(name_or_path)
    _warn_of_version(source.family, source.config)
    is_plain = quantization is None and not hasattr(source.whole_config, "quantization_config")
    if where.type == "cpu" and device_map is None and is_plain:
        _check_memory(source, chosen_dtype)
    table = source.family.per_layer_table if ple == "cpu" else None
    places = device_map
    if places is None and quantization is not None:
        # Quantised weights are made where they stay; the table must not visit the device.
        stays_behind = table is not None and where.type != "cpu"
        places = {"": where, **({f"model.{table}": "cpu"} if stays_behind else {})}
    with _full_memory_told(source, where if device_map is None else None, quantize, ple):
        model = _load_weights(source, chosen_dtype, quantization, places)
        if unpack and quantization is not None:
            unpack_four_bits(model)
        else:
            keep_as_stored(model)
        if table is not None and hasattr(model.get_decoder(), table):
            _keep_on_host(model, table)
        if places is None:
            model.to(where)
    return make_base(
        name_or_path,
        model,
        source.tokenizer,
        source.family,
        freed_bytes=_left_out_bytes(source, chosen_dtype),
    )


def _check_memory(source: BaseSource, dtype: torch.dtype) -> None:
    """Raises ValueError where a base's weights do not fit into the memory that is free here."""
    count, free_bytes = num_parameters(source), psutil.virtual_memory().available
    if count * dtype.itemsize <= free_bytes:
        return
    remedies = ["--quantize nf4", "llama.cpp with a quantised GGUF file of it"]
    if dtype == torch.float32 and count * torch.bfloat16.itemsize <= free_bytes:
        remedies.insert(0, "--dtype bfloat16")
    precision = str(dtype).removeprefix("torch.")
    raise ValueError(
        f"'{source.name}' takes {count * dtype.itemsize / 1e9:.1f} GB in {precision}, and "
        f"{free_bytes / 1e9:.1f} GB of memory are free: use {' or '.join(remedies)}"
    )


def _load_weights(
    source: BaseSource, dtype: torch.dtype, quantization: Any, device_map: Any
) -> Any:
    from transformers import AutoModelForCausalLM

    is_part = source.config is not source.whole_config
    with _plain_errors(source.name):
        model, loading = AutoModelForCausalLM.from_pretrained(  # pyright: ignore[reportGeneralTypeIssues]
            source.location,
            config=source.config,
            dtype=dtype,
            quantization_config=quantization,
            device_map=device_map,
            key_mapping=TEXT_PREFIXES if is_part else None,
            output_loading_info=True,
        )
    if missing := sorted(loading["missing_keys"]):
        raise ValueError(
            f"the files of '{source.name}' lack {len(missing)} weights that the model needs "
            f"({', '.join(missing[:3])} ...): get the base anew"
        )
    return model


def _keep_on_host(model: Any, table: str) -> None:
    from accelerate.hooks import remove_hook_from_submodules

    # Where accelerate placed the table, its hooks would carry rows back and forth a second time.
    remove_hook_from_submodules(getattr(model.get_decoder(), table))
    setattr(model.get_decoder(), table, HostTable(getattr(model.get_decoder(), table)))


def _left_out_bytes(source: BaseSource, dtype: torch.dtype) -> int:
    """Size of what a multimodal base has beside its text part, found without loading it."""
    if source.config is source.whole_config:
        return 0
    from transformers import AutoModel

    with torch.device("meta"):
        whole, text = (
            AutoModel.from_config(config) for config in (source.whole_config, source.config)
        )
    sizes = [sum(one.numel() for one in model.parameters()) for model in (whole, text)]
    return (sizes[0] - sizes[1]) * dtype.itemsize


def _warn_of_version(family: Family, config: Any) -> None:
    import transformers

    version = transformers.__version__
    if version in family.corrupting_versions and family.shared_kv_layers(config):
        log.warning(
            f"transformers {version} computes {family.name} wrongly without a cache, which its own "
            "activation checkpointing switches off; spokesmith works around it. The fix: pip "
            "install 'transformers>=5.5.2'"
        )


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    """A library's error about files that are not there, as one line."""
    try:
        yield
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"cannot load base '{name}' ({reason}): give one of {', '.join(EMBEDDED)}, "
            "a Hugging Face folder or id, or a GGUF file"
        ) from error


@contextmanager
def _full_memory_told(
    source: BaseSource, where: torch.device | None, quantize: str, ple: str
) -> Iterator[None]:
    """A full GPU as one line, with what would help that was not asked for yet; `where` is None for
    several."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        has_table = getattr(source.config, "hidden_size_per_layer_input", 0) > 0
        remedies = [
            *(["--ple cpu"] if has_table and ple == "device" else []),
            *(["--quantize nf4"] if quantize == "none" else []),
            "--device cpu" if where is not None else "--device cpu without --device-map",
        ]
        raise ValueError(
            f"'{source.name}' does not fit into the free memory of {where or 'the devices'}: use "
            f"{' or '.join(remedies)}"
        ) from error


def _find_location(name_or_path: str) -> str:
    """A folder or hub id that transformers loads."""
    if embedded := EMBEDDED.get(name_or_path):
        return str(unpack_embedded(embedded))
    path = Path(name_or_path).expanduser()
    if path.suffix.lower() == ".gguf":
        return str(_unpack_gguf(path))
    return str(path) if path.is_dir() else name_or_path


def _unpack_gguf(path: Path) -> Path:
    """Unpack a user's GGUF file into the cache, once for each content."""
    from spokesmith.bases.gguf_reader import read_header

    # Read here first: what unpacks it believes every count in it, and reads on past its end.
    header = read_header(path)
    refuse_misread(header)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    needed = 4 * sum(math.prod(one.dims) for one in header.tensors.values())

    def unpack(partial: Path) -> None:
        if needed > (free := psutil.virtual_memory().available):
            raise ValueError(
                f"{path} takes {needed / 1e9:.1f} GB unpacked, and {free / 1e9:.1f} GB of memory "
                f"are free: --engine llama.cpp --model {path} runs the file as it is"
            )
        dequantise(path, partial)

    return build_once(unpacked_folder(path.stem, digest), unpack)


def choose(
    dtype: str, device: str, quantize: str, ple: str
) -> tuple[torch.device, torch.dtype, Any]:
    """What these options of `load_base` mean here: device, precision, choices of bitsandbytes.

    Raises:
        ValueError: one of them is wrong.
    """
    where = choose_device(device)
    chosen_dtype = choose_dtype(dtype, where)
    if ple not in TABLE_PLACES:
        raise ValueError(f"ple '{ple}' is unknown: use {' or '.join(TABLE_PLACES)}")
    return where, chosen_dtype, four_bit_choices(quantize, chosen_dtype)


def choose_device(device: str) -> torch.device:
    """The device that `device` (auto, cpu, cuda, ...) means here.

    Raises:
        ValueError: there is no such device.
    """
    if device == "auto":
        # Under a launcher of several processes each takes the GPU of its number.
        local_rank = os.environ.get("LOCAL_RANK", "0")
        return torch.device(f"cuda:{local_rank}" if torch.cuda.is_available() else "cpu")
    try:
        where = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device '{device}' is unknown: use auto, cpu or cuda") from error
    count = torch.cuda.device_count()
    if where.type == "cuda" and (where.index or 0) >= count:
        raise ValueError(
            f"there is no device '{device}', torch {torch.__version__} sees {count} GPUs: use auto "
            "or cpu, or install the torch that is built for your GPU"
        )
    return where


def choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """The precision that `dtype` (auto, float32, bfloat16) means on a device."""
    if dtype == "auto":
        native = device.type == "cuda" or _cpu_multiplies_bfloat16()
        return torch.bfloat16 if native else torch.float32
    if dtype not in DTYPES:
        raise ValueError(f"dtype '{dtype}' is unknown: use auto, {' or '.join(DTYPES)}")
    return DTYPES[dtype]


def _cpu_multiplies_bfloat16() -> bool:
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
