"""What `--ext=helix_lab` does to a kernel: `hx` and the magics, and no connection yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helix_lab.doors.kernel.handle import Handle

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_MAGICS = ("sql", "cypher", "hx")
_COMPLETED = "%hx"
MATCHER = "helix_lab_cypher"


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics and give `hx`; a name of the user's own is left alone."""
    from helix_lab.doors.kernel.magics import HelixMagics

    shell.user_ns.setdefault("hx", Handle())
    # `%who` and `%reset` are about the user's own names.
    shell.user_ns_hidden.setdefault("hx", shell.user_ns["hx"])
    if not isinstance(shell.magics_manager.registry.get(HelixMagics.__name__), HelixMagics):
        shell.register_magics(HelixMagics)
        shell.set_hook("complete_command", _complete, str_key=_COMPLETED)  # type: ignore[no-untyped-call]
        _register_cypher(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take away what `load_ipython_extension` gave, and close the lab if it is open."""
    handle = shell.user_ns.get("hx")
    if isinstance(handle, Handle):
        del shell.user_ns["hx"]
        shell.user_ns_hidden.pop("hx", None)
        handle.close()
    shell.magics_manager.registry.pop("HelixMagics", None)
    for kind in ("line", "cell"):
        for name in _MAGICS:
            shell.magics_manager.magics[kind].pop(name, None)
    shell.Completer.custom_matchers[:] = [
        matcher
        for matcher in shell.Completer.custom_matchers
        if getattr(matcher, "matcher_identifier", None) != MATCHER
    ]
    # The hooks have a way in, and none out.
    shell.strdispatchers["complete_command"].strs.pop(_COMPLETED, None)


def _register_cypher(shell: InteractiveShell) -> None:
    """Complete the cells of `%%cypher` by what the graph has."""
    from IPython.core.completer import CompletionContext, SimpleMatcherResult, context_matcher

    def find_lab() -> Any:
        lab = shell.user_ns.get("hx")
        return lab.connected if isinstance(lab, Handle) else lab

    @context_matcher(identifier=MATCHER)  # type: ignore[untyped-decorator] # IPython has no types here
    def match(context: CompletionContext) -> SimpleMatcherResult:
        from helix_lab.doors.kernel.cypher_completion import complete

        return complete(context, find_lab)

    shell.Completer.custom_matchers.append(match)


def _complete(_: InteractiveShell, event: Any) -> list[str]:
    """The words of `%hx`; nothing after the first one."""
    from helix_lab.doors.kernel.questions import list_words

    is_first = len(event.line[: -len(event.symbol) or None].split()) == 1
    return list_words() if is_first else []
