"""Contexts: what is shown of a conversation, compressed where it must be, and recorded."""

from helix_lab.jobs.contexts.making import ContextMaker, Made, Wanted
from helix_lab.jobs.contexts.prompting import (
    Prompt,
    PromptPlan,
    build_prompt,
    plan_prompt,
    read_plan,
)

__all__ = [
    "ContextMaker",
    "Made",
    "Prompt",
    "PromptPlan",
    "Wanted",
    "build_prompt",
    "plan_prompt",
    "read_plan",
]
