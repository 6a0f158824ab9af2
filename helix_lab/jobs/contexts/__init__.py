"""Contexts: what is shown of a conversation, compressed where it must be, and recorded."""

from helix_lab.jobs.contexts.keeping import decode, encode
from helix_lab.jobs.contexts.made import Made
from helix_lab.jobs.contexts.making import ContextMaker, Wanted
from helix_lab.jobs.contexts.prompting import (
    Prompt,
    PromptPlan,
    build_prompt,
    describe_additions,
    plan_prompt,
    read_plan,
    room_for_additions,
)

__all__ = [
    "ContextMaker",
    "Made",
    "Prompt",
    "PromptPlan",
    "Wanted",
    "build_prompt",
    "decode",
    "describe_additions",
    "encode",
    "plan_prompt",
    "read_plan",
    "room_for_additions",
]
