"""Random bases of the real architectures, for tests: no download, milliseconds a step."""

from spokesmith.testing.bases import FAMILY_SIZES, byte_tokenizer, tiny_base, tiny_config

__all__ = ["FAMILY_SIZES", "byte_tokenizer", "tiny_base", "tiny_config"]
