"""What backends that render chats themselves share: requests become token ids, tokens texts.

Knows no engine.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from spokesmith.backends.completion import Completion, Piece
from spokesmith.backends.request import Job, Request
from spokesmith.bases.chat import ChatFormat
from spokesmith.decoding.request import Constraint, ContextError, Sampling
from spokesmith.tasks import Message

# No letters become more than so many times shorter where a tokenizer composes them.
MOST_COMPOSED = 3


class ChatBackend(ABC):
    """Asks an engine in a chat format.

    Args:
        chat: the turn format.
    """

    def __init__(self, chat: ChatFormat) -> None:
        self.chat = chat
        longest = max(len(token.encode()) for token in chat.tokenizer.get_vocab())
        composes = chat.tokenizer.backend_tokenizer.normalizer is not None
        # Of a text that become one token.
        self._most_bytes = longest * (MOST_COMPOSED if composes else 1)

    @property
    @abstractmethod
    def context_length(self) -> int:
        """Most tokens of a prompt and its answer."""

    @abstractmethod
    def start(
        self,
        request: Request,
        *,
        on_piece: Callable[[Piece], None] | None = None,
        on_end: Callable[[Job], None] | None = None,
    ) -> Job:
        """Begin an answer; see `Backend.start`."""

    @abstractmethod
    def check_token(self, token: int) -> None:
        """Raises ValueError where a token is none of the model's."""

    @property
    def chat_template(self) -> str:
        return self.chat.template

    def complete(
        self,
        messages: Sequence[Message],
        schema: dict[str, Any] | None = None,
        *,
        max_tokens: int = 1024,
        time_limit_s: float | None = None,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> Completion:
        """Answer a chat and wait for it; see `Request` for the arguments and `start` for errors."""
        request = Request(
            messages=messages,
            constraint=None if schema is None else Constraint(kind="schema", value=schema),
            max_tokens=max_tokens,
            time_limit_s=time_limit_s,
            sampling=Sampling(temperature=temperature, top_p=top_p, seed=seed),
        )
        return self.start(request).result()

    def tokenize(
        self, text: str, *, add_special: bool = False, parse_special: bool = True
    ) -> list[int]:
        """The tokens of a text.

        Args:
            text: which one.
            add_special: whether it begins with the start token where texts of the base do; one that
                the text has already is not doubled.
            parse_special: whether control tokens in it are taken as such, not as texts.

        Raises:
            ContextError: it cannot fit, however few tokens it is.
        """
        self._check_length([text])
        return self.chat.text_ids(text, control_tokens=parse_special, add_start=add_special)

    def detokenize(self, token_ids: Sequence[int]) -> str:
        """The text of tokens.

        Raises:
            ValueError: a token is not one of the model's.
        """
        for token in token_ids:
            self.check_token(token)
        return self.chat.tokenizer.decode(list(token_ids), clean_up_tokenization_spaces=False)

    def prompt_ids(self, request: Request) -> list[int]:
        """The token ids of a request's prompt."""
        shared, rest = self.prompt_parts(request)
        return shared + rest

    def prompt_parts(self, request: Request) -> tuple[list[int], list[int]]:
        """The prompt's tokens, cut where prompts of the same chat but another last message part.

        Raises:
            ContextError: its texts cannot fit, however few tokens they are.
            ValueError: there is no prompt, the chat template does not take it, or a token is none
                of the model's.
        """
        if request.messages is not None:
            self._check_length(message["content"] for message in request.messages)
            return self.chat.prompt_parts(
                request.messages, template_options=request.template_options
            )
        if isinstance(request.prompt, str):
            return [], self.tokenize(request.prompt, add_special=True)
        if request.prompt is None:
            raise ValueError("a request needs messages or a prompt")
        ids = list(request.prompt)
        # The least and the greatest tell of all, of which there may be millions.
        for token in (min(ids, default=0), max(ids, default=0)):
            self.check_token(token)
        return [], ids

    def _check_length(self, texts: Iterable[str]) -> None:
        """Refuse texts that cannot fit before they are cut into tokens, which may take seconds."""
        num_bytes = sum(len(text.encode()) for text in texts)
        least = -(-num_bytes // self._most_bytes)
        if least >= self.context_length:
            raise ContextError(
                f"the prompt has at least {least} tokens, the context is {self.context_length}: "
                "shorten the text"
            )
