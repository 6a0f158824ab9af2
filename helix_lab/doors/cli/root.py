"""The root of the command line: global options, lazy commands, errors as exit codes."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

import click

from helix_lab.domain.model.errors import HelixError, Kind
from helix_lab.doors.cli.session import Session
from helix_lab.doors.tables import make_printable

EXIT_CODES: dict[Kind, int] = {
    "internal": 1,
    "invalid": 2,
    "too_large": 2,
    "not_found": 3,
    "gone": 3,
    "conflict": 4,
    "stale": 4,
    "forbidden": 5,
    "unavailable": 6,
    "cancelled": 7,
}
EXIT_INTERRUPTED = 130

# Help is written from here alone; a test keeps it equal to what there is.
SUMMARIES = {
    "analytics": "Providers, conversations and debates in numbers",
    "archive": "Archive a conversation, a day or all into the lake",
    "bigdata": "Tell how each part of the system does",
    "catalog": "List the tables and columns that SQL can ask for",
    "config": "Show the settings in force, and where each comes from",
    "conversations": "Record, read and replay conversations",
    "dashboards": "List the dashboards, and whether they can be opened",
    "datalake": "The lake: what it holds, its files checked, asked in SQL",
    "debates": "Let providers debate a topic, and see who won",
    "forget": "Erase a user from the log and from everything that follows from it",
    "health": "Probe every backend",
    "import": "Take in a file: a ChatGPT or Claude export, JSON Lines, debates",
    "info": "Tell what this lab is",
    "job": "Batch jobs over the lake, on DuckDB or Spark: submit, follow, read",
    "knowledge": "The knowledge graph: what is related, found, merged, asked in Cypher, exported",
    "learning": "What is learned: preferences, patterns with evidence, insights",
    "memory": "Facts to keep: make, search, change, delete, and what became of them",
    "node": "Start several nodes on this machine, which exchange their memories",
    "query": "Ask the analytics store in SQL, reading only",
    "rebuild": "Drop a store and fill it again from the log",
    "report": "Notebooks that answer a question with parameters: list, run, schedule them",
    "restore": "Record again all that the lake holds",
    "results": "Read a page of a kept answer, sorted if you like",
    "runs": "Long work: list it, show it, cancel it",
    "schedules": "Reports that run by themselves: list them, pause, resume, delete them",
    "serve": "Start JupyterLab with Helix Lab and its REST API",
    "stack": "Real services as local processes: Kafka, PostgreSQL, Redis and others",
    "topics": "List the topics of the event log, and how much each holds",
    "traces": "What instrumented programs told of their work: list it, show its spans",
    "worker": "Fill stores in processes of their own, which share the partitions of the log",
}
_OWN = {
    "archive": "archiving:archive",
    "config": "configuring:config",
    "forget": "forgetting:forget",
    "import": "importing:import_file",
    "node": "nodes:node",
    "query": "asking:query",
    "rebuild": "importing:rebuild",
    "report": "reporting:report",
    "restore": "archiving:restore",
    "serve": "serving:serve",
    "stack": "stacking:stack",
    "worker": "working:worker",
}
_OTHER_NAMES = {"reports": "report", "lake": "datalake"}


class LazyCommands(click.Group):
    """A group that loads a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's form
        """All names, sorted."""
        return sorted(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """One command or group."""
        cmd_name = _OTHER_NAMES.get(cmd_name, cmd_name)
        if cmd_name not in SUMMARIES:
            return None
        if cmd_name in _OWN:
            module, _, name = _OWN[cmd_name].partition(":")
            found: click.Command = getattr(importlib.import_module(f"{__package__}.{module}"), name)
            return found
        from helix_lab.doors.cli.commands import make_command

        return make_command(cmd_name, summary=SUMMARIES[cmd_name])

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """The list of commands, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(SUMMARIES.items()))


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--url", metavar="URL", help="Server to ask.  [env: HELIX_LAB_URL]")
@click.option(
    "--token",
    metavar="TOKEN",
    help="Token that it asks for; others can see it here, but not in the environment."
    "  [env: HELIX_LAB_TOKEN]",
)
@click.option(
    "--data-dir",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Data folder to work with.  [env: HELIX_DATA_DIR]",
)
@click.option("--json", "is_json", is_flag=True, help="Print answers as JSON.")
@click.version_option(package_name="helix-lab", message="%(prog)s %(version)s")
@click.pass_context
def root(
    context: click.Context,
    url: str | None,
    token: str | None,
    data_dir: Path | None,
    *,
    is_json: bool,
) -> None:
    """Keep, understand and use everything that your LLM assistants ever said.

    Commands go to the server of --url, else to the server that owns the data folder; where none
    runs, they open the folder themselves.
    """
    context.obj = Session(url=url, token=token, data_dir=data_dir, is_json=is_json)
    context.call_on_close(context.obj.close)


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code; errors are one line on stderr."""
    try:
        code = root.main(list(arguments), prog_name="helix-lab", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return EXIT_INTERRUPTED
    except HelixError as error:
        # An engine may point at a place below its statement, which one line cannot show.
        line = " ".join(str(error).split()).rstrip("^ ")
        click.echo(f"error: {make_printable(line)}", err=True)
        return EXIT_CODES[error.kind]
    except BrokenPipeError:
        # The reader of a pipe has seen enough; Python would complain once more at its exit.
        _discard_output()
        return 0
    return code if isinstance(code, int) else 0


def _discard_output() -> None:
    import os
    import sys

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
