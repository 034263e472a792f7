"""Stock llama.cpp in this process as a backend: a GGUF file in, everything that a server needs out.

The prebuilt package xllamacpp (the extra `llamacpp`) is llama.cpp itself.
"""

from spokesmith.backends.llamacpp.backend import LlamaCppBackend
from spokesmith.backends.llamacpp.options import LlamaCppOptions

__all__ = ["LlamaCppBackend", "LlamaCppOptions"]
