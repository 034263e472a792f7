"""What backends that render chats themselves share: requests become token ids, tokens texts.

Knows no engine.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from spokesmith.backends.completion import Completion, Piece
from spokesmith.backends.request import Job, Request
from spokesmith.bases.chat import ChatFormat
from spokesmith.decoding.request import Constraint, Sampling
from spokesmith.tasks import Message


class ChatBackend(ABC):
    """Asks an engine in a chat format.

    Args:
        chat: the turn format.
    """

    def __init__(self, chat: ChatFormat) -> None:
        self.chat = chat

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
        return self.chat.text_ids(
            text, control_tokens=parse_special, add_special_tokens=add_special
        )

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
        """The prompt's tokens, cut where prompts of the same chat but another last message part."""
        if request.messages is not None:
            return self.chat.prompt_parts(
                request.messages, template_options=request.template_options
            )
        if isinstance(request.prompt, str):
            return [], self.tokenize(request.prompt)
        if request.prompt is None:
            raise ValueError("a request needs messages or a prompt")
        for token in request.prompt:
            self.check_token(token)
        return [], list(request.prompt)
