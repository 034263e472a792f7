"""The command line. Rooms are imported inside commands, so that `--help` answers at once."""

import os
import sys

import typer

from spokesmith.cli import (
    bases,
    convert,
    data,
    demo,
    diagnose,
    encode,
    export,
    probe,
    serve,
    task,
    train,
)

app = typer.Typer(
    name="spokesmith",
    help="Give a frozen small language model one dependable skill: text to JSON that always fits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo.demo)
app.command()(train.train)
app.command()(diagnose.diagnose)
app.command()(encode.encode)
app.command()(probe.probe)
app.command()(serve.serve)
app.add_typer(data.app, name="data")
app.add_typer(task.app, name="task")
app.add_typer(export.app, name="export")
app.command()(bases.bases)
app.command()(convert.convert)


def main() -> None:
    """Run a command; a mistake of the user's is one line on stderr and exit status 2."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # The libraries' own bars; ours come from rich.
    os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        app()
    except ValueError as error:
        _fail(str(error), status=2)
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}", status=2)
    except KeyboardInterrupt:
        _fail("interrupted", status=130)
    except Exception as error:
        if os.environ.get("SPOKESMITH_DEBUG"):
            raise
        _fail(
            f"this should not have happened ({type(error).__name__}: {error}); "
            "SPOKESMITH_DEBUG=1 shows where",
            status=1,
        )


def _fail(words: str, *, status: int) -> None:
    print(f"spokesmith: {' '.join(words.split())}", file=sys.stderr)
    sys.exit(status)
