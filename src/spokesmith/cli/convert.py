"""`spokesmith convert`. Does not know what is in the older file: `spokes/interchange.py` does."""

from pathlib import Path
from typing import Annotated, Any

import typer

from spokesmith.cli.common import (
    BaseOption,
    JsonOption,
    check_new_file,
    messages_console,
    open_base,
    print_json,
)


def convert(
    checkpoint: Annotated[
        Path, typer.Argument(help="Older file of spokes, with spoke_config and spoke_state_dict.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the set to write.")],
    base: BaseOption,
    force: Annotated[bool, typer.Option(help="Replace a set that is in --out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Turn an older checkpoint of spokes, a .pt file, into a set folder.

    The file does not name its base: name the one that the spokes were trained on. Width and layers
    must agree, and the set will load on that base only. Code in the file is never run.
    """
    from spokesmith.spokes import SpokesCard, read_older_spokes, save_spokes
    from spokesmith.spokes.files import CARD_NAME

    check_new_file(out / CARD_NAME, force=force)
    older = read_older_spokes(checkpoint)
    # Nothing is computed: the smaller dtype only keeps a large base small in memory.
    loaded = open_base(base, dtype="bfloat16", device="cpu")
    shape = loaded.config
    spokes = older.for_base(hidden_size=shape.hidden_size, num_layers=shape.num_hidden_layers)
    card = SpokesCard(
        spokes=spokes.config,
        base=loaded.name,
        base_fingerprint=loaded.fingerprint,
        training={"converted_from": checkpoint.name},
    )
    save_spokes(out, spokes, card)
    document: dict[str, Any] = {
        "folder": str(out),
        "base": loaded.name,
        "base_fingerprint": loaded.fingerprint,
        "placement": spokes.config.placement,
        "num_spokes": older.num_spokes,
        "rank": older.rank,
        "layers": list(older.layers),
        "num_parameters": spokes.num_parameters(),
        "unused": list(older.unused),
    }
    if as_json:
        print_json(document)
    else:
        _say(document)


def _say(document: dict[str, Any]) -> None:
    console = messages_console()
    if document["unused"]:
        names = ", ".join(document["unused"])
        console.print(f"note: not understood, so not used: {names}", markup=False, highlight=False)
    console.print(
        f"converted {document['num_parameters']:,} parameters ({len(document['layers'])} layers, "
        f"{document['num_spokes']} spokes of rank {document['rank']}): the set is "
        f"{document['folder']}, for {document['base']}",
        markup=False,
        highlight=False,
    )
