"""Which errors say that there was no memory. Knows no model."""

import torch

# What errors without a class of their own say.
MEMORY_WORDS = (
    ("DefaultCPUAllocator", "can't allocate memory"),
    ("DefaultCPUAllocator", "not enough memory"),
    ("CUBLAS_STATUS_ALLOC_FAILED",),
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was no memory, on a GPU or in the CPU's allocator."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return any(all(word in str(error) for word in words) for words in MEMORY_WORDS)
