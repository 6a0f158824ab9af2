"""The operation that erases a person."""

from __future__ import annotations

from pydantic import Field

from helix_lab.domain.model.errors import Conflict
from helix_lab.jobs.erasure import KIND
from helix_lab.operations.operation import Id, Operation, Request
from helix_lab.operations.runs import Run, show_run
from helix_lab.operations.services import Services


class ForgetUser(Request):
    """Whom to erase."""

    user_id: Id = Field(description="as in the conversations, debates and memories of the user")


def forget(services: Services, request: ForgetUser) -> Run:
    """Start the erasure of a user; its result is the receipt."""
    return show_run(services.jobs.submit(KIND, {"user_id": request.user_id}))


OPERATIONS = (
    Operation(
        name="forget_user",
        summary="Erase a user from the log and from everything that follows from it",
        method="DELETE",
        path="/v1/users/{user_id}",
        scope="admin",
        request=ForgetUser,
        response=Run,
        run=forget,
        errors=(Conflict,),
        status=202,
        location="/v1/runs/{run_id}",
    ),
)
