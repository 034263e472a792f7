"""The kinds of text that the generator writes, one family of templates a file."""

from importlib import import_module
from pkgutil import iter_modules

from spokesmith.data.kinds.family import Kind

_MACHINERY = ("asides", "family", "pattern", "register")


def load_kinds() -> dict[str, Kind]:
    """All kinds by name."""
    names = [module.name for module in iter_modules(__path__) if module.name not in _MACHINERY]
    kinds = [import_module(f"{__name__}.{name}").KIND for name in sorted(names)]
    return {kind.name: kind for kind in kinds}
