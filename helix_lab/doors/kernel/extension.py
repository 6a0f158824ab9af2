"""What `--ext=helix_lab` does to a kernel: `hx` and `%%sql`, and no connection yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helix_lab.doors.kernel.handle import Handle

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics and give `hx`; a name of the user's own is left alone."""
    from helix_lab.doors.kernel.magics import SqlMagics

    shell.user_ns.setdefault("hx", Handle())
    # `%who` and `%reset` are about the user's own names.
    shell.user_ns_hidden.setdefault("hx", shell.user_ns["hx"])
    if not isinstance(shell.magics_manager.registry.get(SqlMagics.__name__), SqlMagics):
        shell.register_magics(SqlMagics)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take away what `load_ipython_extension` gave, and close the lab if it is open."""
    handle = shell.user_ns.get("hx")
    if isinstance(handle, Handle):
        del shell.user_ns["hx"]
        shell.user_ns_hidden.pop("hx", None)
        handle.close()
    shell.magics_manager.registry.pop("SqlMagics", None)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("sql", None)
