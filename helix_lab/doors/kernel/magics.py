"""`%%sql` and `%sql`: ask the analytics store from a cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)

from helix_lab.domain.model.errors import HelixError, InvalidRequest
from helix_lab.doors.kernel.handle import Handle, make_interruptible

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
class SqlMagics(Magics):
    """The magics that ask for rows."""

    @needs_local_scope
    @no_var_expand
    @line_cell_magic
    @short_errors
    def sql(
        self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None
    ) -> Any:
        """Run one read-only statement on the analytics store.

        ```
        %%sql [--param name=expression]… [--max-rows N] [--timeout SECONDS] [-o NAME]
        SELECT provider, count(*) AS wins FROM debates WHERE confidence >= $floor GROUP BY ALL
        ```

        `%sql [options] SELECT …` is the same on one line. The SQL goes to the engine as it is:
        no braces, dollars or colons are replaced in it.

        Options:
            --param name=expression: bind `$name` to the value of a Python expression; put one
                with spaces into parentheses. `--param name` binds the variable of that name.
            --max-rows N: keep at most N rows (1,000).
            --timeout SECONDS: stop the statement after that time (60).
            -o NAME: assign the result to a variable and do not display it.

        The kernel's interrupt (■, or Ctrl-C) stops the statement, on a server too.
        """
        from helix_lab.doors.kernel.arguments import bind, read_arguments
        from helix_lab.doors.kernel.result import SqlResult

        arguments = read_arguments(line)
        statement = _choose_statement(arguments.rest, cell)
        shell = cast("Any", self.shell)
        parameters = bind(arguments.expressions, {**shell.user_ns, **(local_ns or {})})
        answer = self._find_lab().run_query(
            statement,
            parameters=parameters,
            max_rows=arguments.max_rows,
            timeout_s=arguments.timeout_s,
        )
        result = SqlResult.from_answer(answer)
        if arguments.output is None:
            return result
        shell.user_ns[arguments.output] = result
        return None

    def _find_lab(self) -> Any:
        """The user's `hx`, which may be another lab than the one found at first."""
        from helix_lab.operations.methods import Methods

        namespace = cast("Any", self.shell).user_ns
        lab = namespace.get("hx")
        if isinstance(lab, Handle):
            return lab
        if isinstance(lab, Methods):
            return make_interruptible(lambda: lab)
        message = "`hx` is not a lab any more; `del hx` and `%reload_ext helix_lab` give it back"
        raise InvalidRequest(message, field="hx")


def _choose_statement(rest: str, cell: str | None) -> str:
    if cell is None:
        if not rest.strip():
            message = "%sql needs a statement: %sql SELECT …, or %%sql with the statement below"
            raise InvalidRequest(message, field="sql")
        return rest.lstrip(" \t")
    if rest.strip():
        message = (
            f"%%sql does not understand {rest.strip()!r} on its line; SQL goes below it, and an "
            "expression with spaces into parentheses"
        )
        raise InvalidRequest(message, field="line")
    return cell
