"""Settings that every test shares: no network, few threads, nothing written outside of tmp."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
