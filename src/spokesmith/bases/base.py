"""A loaded base: model, tokenizer and the facts that other rooms need, by name or path."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spokesmith.bases.chat import ChatFormat
from spokesmith.bases.embedded import (
    EMBEDDED,
    build_once,
    cache_folder,
    dequantise,
    unpack_embedded,
)
from spokesmith.bases.families import Family, family_of
from spokesmith.spokes import Site, SpokesConfig

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
SHAPE_KEYS = (
    "model_type",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
    "tie_word_embeddings",
)


@dataclass(frozen=True, kw_only=True)
class Base:
    """A frozen language model. `model` is a transformers causal language model."""

    name: str
    model: Any
    tokenizer: Any
    family: Family
    chat: ChatFormat

    @property
    def config(self) -> Any:
        """The configuration of the text part."""
        return self.model.config.get_text_config(decoder=True)

    @property
    def decoder(self) -> nn.Module:
        """The stack of layers: tokens in, last hidden states [B, T, d] out."""
        return self.model.get_decoder()

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def fingerprint(self) -> str:
        return shape_fingerprint(self.config)

    def sites(self) -> list[Site]:
        """The decoder layers in order, as spokes see them."""
        return [
            Site(
                layer=layer,
                ffn=getattr(layer, self.family.ffn),
                activation=getattr(getattr(layer, self.family.ffn), self.family.activation),
            )
            for layer in self.model.get_decoder().layers
        ]

    def spokes_config(self, **choices: Any) -> SpokesConfig:
        """The shape of a set for this base; `choices` as in `SpokesConfig`."""
        return SpokesConfig(
            hidden_size=self.config.hidden_size,
            num_layers=self.config.num_hidden_layers,
            **choices,
        )

    def logits(self, hidden: Tensor) -> Tensor:
        """The language-model head: [..., d] to [..., V], with the base's soft cap if it has one."""
        logits = self.model.get_output_embeddings()(hidden)
        cap = getattr(self.config, "final_logit_softcapping", None)
        return logits if cap is None else torch.tanh(logits / cap) * cap


def load_base(name_or_path: str, *, dtype: str = "auto", device: str = "auto") -> Base:
    """Load a base, frozen and in evaluation mode.

    Args:
        name_or_path: an embedded name, a Hugging Face folder or id, or a GGUF file.
        dtype: float32, bfloat16, or auto: bfloat16 where the processor multiplies it natively.
        device: cpu, cuda, or auto: a GPU where there is one.

    Raises:
        ValueError: the base cannot be found, or belongs to no known family.
    """
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    where = _choose_device(device)
    chosen_dtype = _choose_dtype(dtype, where)
    source = _find_source(name_or_path)
    try:
        config = AutoConfig.from_pretrained(source)
        family = family_of(config.model_type)
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForCausalLM.from_pretrained(source, dtype=chosen_dtype)
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"cannot load base '{name_or_path}' ({reason}): give one of {', '.join(EMBEDDED)}, "
            "a Hugging Face folder or id, or a GGUF file"
        ) from error
    model = model.eval().requires_grad_(False)
    model.to(where)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return Base(
        name=name_or_path,
        model=model,
        tokenizer=tokenizer,
        family=family,
        chat=ChatFormat(tokenizer),
    )


def shape_fingerprint(config: Any) -> str:
    """A short hash of what must agree between a base and its spokes: the model's shape."""
    shape = {key: getattr(config, key, None) for key in SHAPE_KEYS}
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]


def _find_source(name_or_path: str) -> str:
    """A folder or hub id that transformers loads."""
    if embedded := EMBEDDED.get(name_or_path):
        folder = unpack_embedded(embedded)
        return str(folder) if folder else embedded.hub_id
    path = Path(name_or_path).expanduser()
    if path.suffix.lower() == ".gguf":
        return str(_unpack_gguf(path))
    return str(path) if path.is_dir() else name_or_path


def _unpack_gguf(path: Path) -> Path:
    """Unpack a user's GGUF file into the cache, once for each content."""
    if not path.is_file():
        raise ValueError(f"no file at {path}: give the path of a GGUF file")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ValueError(f"{path} is no GGUF file: it does not start with 'GGUF'")
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    folder = cache_folder() / "bases" / f"{path.stem}-{digest[:12]}"
    return build_once(folder, lambda partial: dequantise(path, partial))


def _choose_device(device: str) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device '{device}' is unknown: use auto, cpu or cuda") from error


def _choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    if dtype == "auto":
        native = device.type == "cuda" or _cpu_multiplies_bfloat16()
        return torch.bfloat16 if native else torch.float32
    if dtype not in DTYPES:
        raise ValueError(f"dtype '{dtype}' is unknown: use auto, {' or '.join(DTYPES)}")
    return DTYPES[dtype]


def _cpu_multiplies_bfloat16() -> bool:
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
