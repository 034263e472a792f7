"""From a chat to token ids, in the base's own turn format.

What a message says is tokenised apart from the template around it, and never as control tokens:
a text that holds `<|im_end|>` is a text about `<|im_end|>`. So the same words always give the same
tokens, in training and in decoding, and every example of a task starts with the very same tokens.
"""

import copy
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

_MARK = "\u27e6content-{index}\u27e7"


class ChatFormat:
    """Renders chats for one tokenizer.

    Args:
        tokenizer: with a chat template and an end token.
        turn_end: the token that ends an answer, where the tokenizer knows it; else its end token.
        starts_texts: whether the start token stands before texts that are no chats, even where the
            tokenizer does not put it there by itself.
        template_options: what the template is told beside the messages.

    Raises:
        ValueError: the tokenizer has no chat template or no end token.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        turn_end: str | None = None,
        starts_texts: bool = False,
        template_options: Mapping[str, Any] | None = None,
    ) -> None:
        if not tokenizer.chat_template:
            raise ValueError(
                "the base has no chat template: use its instruction-tuned variant, or put a "
                "chat_template.jinja into its folder (into a GGUF file: gguf-new-metadata "
                "--chat-template-file FILE BASE.gguf NEW.gguf)"
            )
        if tokenizer.eos_token_id is None:
            raise ValueError(
                'the tokenizer has no end token: set "eos_token" in its tokenizer_config.json'
            )
        self.tokenizer = tokenizer
        self._control_words = _ControlWords(tokenizer)
        # What cuts control tokens up, too: made for the first text that holds one.
        self._splitting: Any = None
        self._lock = threading.Lock()
        try:
            # A tokenizer may have several, each with a name.
            self.template: str = tokenizer.get_chat_template()
        except ValueError as error:
            raise ValueError(
                "the base has several chat templates and none is called 'default': put the one for "
                "chats into its folder as chat_template.jinja"
            ) from error
        self.template_options = dict(template_options or {})
        known = turn_end is not None and turn_end in tokenizer.get_vocab()
        self.end_id: int = (
            tokenizer.convert_tokens_to_ids(turn_end) if known else tokenizer.eos_token_id
        )
        self.stop_ids: tuple[int, ...] = tuple(sorted({self.end_id, tokenizer.eos_token_id}))
        by_itself = tokenizer("", add_special_tokens=True, split_special_tokens=False).input_ids
        starts_texts = starts_texts or by_itself[:1] == [tokenizer.bos_token_id]
        # What stands before texts that are no chats.
        self.start_id: int | None = tokenizer.bos_token_id if starts_texts else None

    def prompt_ids(self, messages: Sequence[Mapping[str, object]]) -> list[int]:
        """Token ids of a chat up to where the answer starts."""
        return [token for part in self.prompt_parts(messages) for token in part]

    def prompt_parts(
        self,
        messages: Sequence[Mapping[str, object]],
        *,
        template_options: Mapping[str, Any] | None = None,
    ) -> tuple[list[int], list[int]]:
        """The ids of `prompt_ids`, split where the last message's content starts.

        The first part is the same for all chats that differ in their last message only.

        Args:
            template_options: what the template is told beside what the family says.
        """
        marks = [_MARK.format(index=index) for index in range(len(messages))]
        marked = [
            {**message, "content": mark} for message, mark in zip(messages, marks, strict=True)
        ]
        rendered = self._render(marked, template_options or {})
        before: list[int] = []
        start = 0
        for mark, message in zip(marks, messages, strict=True):
            end = rendered.find(mark, start)
            if end < 0:
                raise ValueError(
                    f"the base's chat template leaves out or moves what a {message['role']} turn "
                    "says: put a chat_template.jinja that renders it into the base's folder"
                )
            before += self._frame_ids(rendered[start:end])
            start = end + len(mark)
            content = self._content_ids(str(message["content"]))
            if mark is marks[-1]:
                return before, content + self._frame_ids(rendered[start:])
            before += content
        raise ValueError("a chat needs at least one message")

    def answer_ids(self, answer: str) -> list[int]:
        """Token ids of an answer, with the token that ends it."""
        return [*self._content_ids(answer), self.end_id]

    def _render(self, messages: list[dict[str, Any]], options: Mapping[str, Any]) -> str:
        def apply(turns: list[dict[str, Any]]) -> str:
            return self.tokenizer.apply_chat_template(
                turns,
                chat_template=self.template,
                tokenize=False,
                add_generation_prompt=True,
                **{**self.template_options, **options},
            )

        try:
            return apply(messages)
        # With values that it does not expect a template fails in any way.
        except Exception as error:
            refusal = error
        if len(messages) > 1 and messages[0]["role"] == "system":
            # Some templates know no system turn: its words then open the first user turn.
            joined = messages[0]["content"] + "\n\n" + messages[1]["content"]
            try:
                return apply([{**messages[1], "content": joined}, *messages[2:]])
            except Exception as error:
                refusal = error
        if options:
            raise ValueError(
                "the base's chat template takes no such chat or no such chat_template_kwargs "
                f"({refusal}): change them or leave them out"
            ) from refusal
        raise ValueError(f"the base's chat template takes no such chat: {refusal}") from refusal

    def text_ids(self, text: str, *, control_tokens: bool, add_start: bool = False) -> list[int]:
        """Token ids of a text; any thread may ask.

        Args:
            control_tokens: whether control tokens in it are taken as such, not as texts.
            add_start: whether it begins with the start token where texts of the base do; one that
                the text has already is not doubled.

        Raises:
            ValueError: the text is no Unicode text.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"the text holds half of a surrogate pair at {error.start}: replace it"
            ) from error
        splits = not control_tokens and self._control_words.are_in(text)
        tokenizer = self._splitting_tokenizer() if splits else self.tokenizer
        ids = tokenizer(text, add_special_tokens=False, split_special_tokens=splits).input_ids
        if add_start and self.start_id is not None and ids[:1] != [self.start_id]:
            return [self.start_id, *ids]
        return ids

    def _splitting_tokenizer(self) -> Any:
        """A tokenizer of its own: to split or not is a setting that no other thread may change."""
        with self._lock:
            if self._splitting is None:
                self._splitting = copy.deepcopy(self.tokenizer)
                self._splitting("", split_special_tokens=True)
        return self._splitting

    def _frame_ids(self, text: str) -> list[int]:
        return self.text_ids(text, control_tokens=True)

    def _content_ids(self, text: str) -> list[int]:
        return self.text_ids(text, control_tokens=False)


class _ControlWords:
    """The texts of a tokenizer's control tokens; there may be thousands of them."""

    def __init__(self, tokenizer: Any) -> None:
        tokens = [one for one in tokenizer.added_tokens_decoder.values() if one.special]
        # Of these, texts that read otherwise become one when they are normalised.
        self._may_be_anywhere = any(one.normalized for one in tokens)
        self._words = {one.content for one in tokens if one.content}
        self._lengths = sorted({len(word) for word in self._words})
        first = "".join(sorted({word[0] for word in self._words}))
        self._first = re.compile(f"[{re.escape(first)}]") if first else None

    def are_in(self, text: str) -> bool:
        """Whether a text holds one of them, or may."""
        if self._may_be_anywhere or self._first is None:
            return self._may_be_anywhere
        return any(
            text[start : start + length] in self._words
            for start in (match.start() for match in self._first.finditer(text))
            for length in self._lengths
        )
