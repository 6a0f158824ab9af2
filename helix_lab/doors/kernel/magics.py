"""The magics: `%%sql` asks for rows, `%%cypher` asks the graph, `%hx` the common questions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar, cast

from IPython.core.magic import (
    Magics,
    cell_magic,
    line_cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)

from helix_lab.domain.model.errors import HelixError, InvalidRequest, ServerUnreachable
from helix_lab.doors.kernel.handle import Handle, make_interruptible

if TYPE_CHECKING:
    from helix_lab.doors.kernel.arguments import RowsArguments
    from helix_lab.doors.kernel.result import SqlResult
    from helix_lab.operations.sql import QueryAnswer

P = ParamSpec("P")
T = TypeVar("T")


def short_errors(magic: Callable[P, T]) -> Callable[P, T]:
    """Let an error of ours, and an interrupt, show without the way they took.

    It stays an ordinary exception: nbval takes a cell that ends in IPython's UsageError for a
    good one.
    """

    @wraps(magic)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return magic(*args, **kwargs)
        except (HelixError, KeyboardInterrupt) as error:
            lines = [f"{type(error).__name__}: {str(error) or 'the statement was stopped'}"]
            error._render_traceback_ = lambda: lines  # type: ignore[union-attr]
            raise error from None

    return run


@magics_class
class HelixMagics(Magics):
    """The magics of the lab; all of them ask the lab that `hx` is."""

    @needs_local_scope
    @no_var_expand
    @line_cell_magic
    @short_errors
    def sql(
        self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None
    ) -> Any:
        """Run one read-only statement on the analytics store, or on the lake.

        ```
        %%sql [--on lake] [--param name=expression]… [--max-rows N] [--timeout S] [-o NAME] [--as F]
        SELECT provider, count(*) AS wins FROM debates WHERE confidence >= $floor GROUP BY ALL
        ```

        `%sql [options] SELECT …` is the same on one line. The SQL goes to the engine as it is:
        no braces, dollars or colons are replaced in it.

        Options:
            --param name=expression: bind `$name` to the value of a Python expression; put one
                with spaces into parentheses. `--param name` binds the variable of that name.
            --max-rows N: keep at most N rows (1,000).
            --timeout SECONDS: stop the statement after that time (60).
            -o NAME, --output NAME: assign the result to a variable and do not display it.
            --on analytics|lake: ask the files of the lake, whose tables are conversations, debates,
                events, entities and analytics; `WHERE year = 2026 AND month = 1` reads no others.
            --as df|arrow|polars: give a DataFrame of pandas, an Arrow table or a DataFrame of
                polars, instead of a result that has all three as methods.

        The kernel's interrupt (■, or Ctrl-C) stops the statement, on a server too.
        """
        from helix_lab.doors.kernel.arguments import bind, read_arguments
        from helix_lab.doors.kernel.progress import progress_line
        from helix_lab.doors.kernel.result import SqlResult

        arguments = read_arguments(line)
        statement = _choose_statement(arguments.rest, cell)
        parameters = bind(arguments.expressions, {**self._names, **(local_ns or {})})
        lab = self._find_lab()
        with progress_line(timeout_s=arguments.timeout_s) as measure:
            ask = lab.stream_query_lake if arguments.store == "lake" else lab.stream_run_query
            pieces = ask(
                statement,
                parameters=parameters,
                max_rows=arguments.max_rows,
                timeout_s=arguments.timeout_s,
                # A frame is not shown page by page.
                keep=arguments.form is None,
            )
            answer = _wait_for_answer(pieces, measure)
        return self._give(SqlResult.from_answer(answer), arguments)

    @needs_local_scope
    @no_var_expand
    @cell_magic
    @short_errors
    def cypher(
        self,
        line: str,
        cell: str,
        local_ns: dict[str, Any] | None = None,
    ) -> Any:
        """Run one read-only statement on the knowledge graph.

        ```
        %%cypher [--param name=expression]… [-o NAME] [--as FORM]
        MATCH (a:Entity {name: $name})-[r:RELATED_TO]-(b) RETURN b.name, r.strength LIMIT 10
        ```

        It has the options of `%%sql`; `--as graph` gives the nodes and edges of the answer,
        to look at and to open further.
        `hx.describe_graph()` lists what a statement can name.
        """
        from helix_lab.doors.kernel.arguments import GRAPH_FORMS, bind, read_arguments
        from helix_lab.doors.kernel.graph_result import GraphResult
        from helix_lab.doors.kernel.progress import progress_line

        arguments = read_arguments(line, magic="%%cypher", forms=GRAPH_FORMS)
        if arguments.rest.strip():
            _refuse_rest("%%cypher", "the statement", arguments.rest)
        parameters = bind(arguments.expressions, {**self._names, **(local_ns or {})})
        lab = self._find_lab()
        with progress_line(timeout_s=arguments.timeout_s):
            answer = lab.query_graph(
                cell,
                parameters=parameters,
                max_rows=arguments.max_rows,
                timeout_s=arguments.timeout_s,
            )
        return self._give(GraphResult.from_rows(answer, lab), arguments)

    @no_var_expand
    @line_magic
    @short_errors
    def hx(self, line: str) -> Any:
        """Answer one of the common questions: `%hx` alone lists them, `%hx status` asks one."""
        from helix_lab.doors.kernel.questions import answer

        return answer(self._find_lab(), line)

    @property
    def _names(self) -> dict[str, Any]:
        names: dict[str, Any] = cast("Any", self.shell).user_ns
        return names

    def _give(self, result: SqlResult, arguments: RowsArguments) -> Any:
        """The result in the form that is asked for, shown or assigned."""
        given = result if arguments.form is None else getattr(result, arguments.form)()
        if arguments.output is None:
            return given
        self._names[arguments.output] = given
        return None

    def _find_lab(self) -> Any:
        """The user's `hx`, which may be another lab than the one found at first."""
        from helix_lab.operations.methods import Methods

        lab = self._names.get("hx")
        if isinstance(lab, Handle):
            return lab
        if isinstance(lab, Methods):
            return make_interruptible(lambda: lab)
        message = "`hx` is not a lab any more; `del hx` and `%reload_ext helix_lab` give it back"
        raise InvalidRequest(message, field="hx")


def _wait_for_answer(pieces: Any, measure: Callable[[float | None], None]) -> QueryAnswer:
    """The last of the pieces; those before it say how far the statement is."""
    from helix_lab.operations.sql import QueryAnswer

    with closing(pieces):
        for piece in pieces:
            if "answer" in piece:
                return QueryAnswer.model_validate(piece["answer"])
            measure(piece.get("progress"))
    message = "the server ended before it gave the answer; run the cell again"
    raise ServerUnreachable(message, service="helix-lab")


def _choose_statement(rest: str, cell: str | None) -> str:
    if cell is None:
        if not rest.strip():
            message = "%sql needs a statement: %sql SELECT …, or %%sql with the statement below"
            raise InvalidRequest(message, field="sql")
        return rest.lstrip(" \t")
    if rest.strip():
        _refuse_rest("%%sql", "SQL", rest)
    return cell


def _refuse_rest(magic: str, what: str, rest: str) -> NoReturn:
    message = (
        f"{magic} does not understand {rest.strip()!r} on its line; {what} goes below it, and an "
        "expression with spaces into parentheses"
    )
    raise InvalidRequest(message, field="line")
