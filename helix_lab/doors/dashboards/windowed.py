"""Pages that follow what their reader chooses, most of them a window of time."""

from __future__ import annotations

from typing import Any, get_args

import panel as pn

from helix_lab.doors.dashboards.parts import Following, make_heading
from helix_lab.operations.windows import Window

REFRESH_MS = 5000
WINDOWS: tuple[str, ...] = get_args(Window)
_DEFAULT = "24h"


def read_address(name: str) -> str:
    """What the address of the page says after `?name=`; empty without it."""
    given: bytes = (pn.state.session_args or {}).get(name, [b""])[0]
    return given.decode(errors="replace")


def make_select(windows: tuple[str, ...] = WINDOWS, *, default: str = _DEFAULT) -> Any:
    """The choice of a window; `?window=7d` in the address chooses one."""
    asked = read_address("window")
    chosen = asked if asked in windows else default
    return pn.widgets.Select(label="Window", options=list(windows), value=chosen, width=120)


def follow_window(name: str, page: Any, *parts: Any, controls: tuple[Any, ...] = ()) -> pn.Column:
    """The page, which follows the lab and its `window`; the rest is as in `follow_choice`."""
    return follow_choice(name, page, page.window, *parts, controls=controls)


def follow_choice(
    name: str, page: Any, choice: Any, *parts: Any, controls: tuple[Any, ...] = ()
) -> pn.Column:
    """The page, which follows the lab and what is chosen as long as it is open.

    Args:
        name: of the page.
        page: has `read`, which asks the lab, and `show`, for what was read.
        choice: the widget in which the reader chooses.
        parts: what it shows, from top to bottom.
        controls: what stands beside the choice.
    """
    following = Following(page.read, page.show)
    choice.param.watch(following.refresh, "value")
    following.begin(every_ms=REFRESH_MS)
    return pn.Column(
        make_heading(name),
        pn.FlexBox(choice, *controls, align_items="end", margin=(4, 12)),
        following.trouble,
        *parts,
        sizing_mode="stretch_width",
    )


def round_figure(value: float | None, digits: int, *, times: float = 1) -> float | None:
    """The value for people; what is not known stays unknown."""
    return None if value is None else round(value * times, digits)
