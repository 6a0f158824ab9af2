"""The operation of a chat: say something and get a provider's reply."""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Callable, Iterator

from helix_lab.domain.model.errors import (
    BudgetTooSmall,
    DuplicateId,
    ProviderError,
    RunCancelled,
    UnknownConversation,
    UnknownProvider,
)
from helix_lab.domain.model.event import CONVERSATIONS
from helix_lab.operations.cancellation import CancelScope, cancel_scope, current_scope
from helix_lab.operations.chat_turns import (
    Chat,
    ChatReply,
    ask,
    prepare,
    record_question,
    show_recorded,
)
from helix_lab.operations.operation import (
    Operation,
    StreamItem,
)
from helix_lab.operations.prompts import (
    find_message,
    reply_id_of,
)
from helix_lab.operations.services import Services
from helix_lab.ports.chat import ChatProvider
from helix_lab.queries.readings import Reading


def chat(services: Services, request: Chat) -> ChatReply:
    """Record a message, ask a provider, record its reply."""
    return _carry_out(services, request, on_text=None)


def stream(services: Services, request: Chat) -> Iterator[list[StreamItem]]:
    """The text as it arrives, then the whole reply as it was recorded."""
    pieces: queue.SimpleQueue[StreamItem | BaseException | None] = queue.SimpleQueue()
    scope = CancelScope()

    def work() -> None:
        try:
            with cancel_scope(scope):
                reply = _carry_out(
                    services, request, on_text=lambda text: pieces.put({"text": text})
                )
            pieces.put({"reply": reply.model_dump(mode="json")})
            pieces.put(None)
        except BaseException as error:
            pieces.put(error)

    with current_scope().on_cancel(scope.cancel):
        threading.Thread(target=work, name="helix-chat", daemon=True).start()
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield [piece]
        finally:
            scope.cancel()


def _carry_out(
    services: Services, request: Chat, *, on_text: Callable[[str], None] | None
) -> ChatReply:
    reading = services.contexts.readings.read(request.conversation_id)
    provider = _choose_provider(services, request.provider)
    message_id = request.message_id or f"msg-{uuid.uuid4().hex}"
    said = find_message(reading, message_id) if request.message_id else None
    if said is not None:
        record_question(services, request, message_id)
        if known := find_message(reading, reply_id_of(message_id)):
            return show_recorded(services, request, known)
        reading = _before(services, reading.conversation_id, message_id)
    turn = prepare(services, request, reading, provider, message_id)
    if said is None:
        record_question(services, request, message_id)
    return ask(services, turn, on_text)


def _before(services: Services, conversation_id: str, message_id: str) -> Reading:
    """The conversation as it was when a message was recorded."""
    offset = next(
        entry.offset
        for entry in services.log.read_key(CONVERSATIONS, conversation_id)
        if entry.event.data.get("message_id") == message_id
    )
    return services.contexts.readings.read(conversation_id, as_of=max(0, offset - 1))


def _choose_provider(services: Services, name: str | None) -> ChatProvider:
    if name is None:
        # `offline` is the first of all, and replies where nobody else is configured.
        return list(services.providers.values())[1 if len(services.providers) > 1 else 0]
    if name not in services.providers:
        message = f"no provider {name!r}; configured: {', '.join(services.providers)}"
        raise UnknownProvider(message, field="provider")
    return services.providers[name]


OPERATIONS = (
    Operation(
        name="chat",
        summary="Say something in a conversation and get a provider's reply",
        method="POST",
        path="/v1/conversations/{conversation_id}/chat",
        scope="write",
        request=Chat,
        response=ChatReply,
        run=chat,
        errors=(
            UnknownConversation,
            UnknownProvider,
            DuplicateId,
            BudgetTooSmall,
            ProviderError,
            RunCancelled,
        ),
        status=201,
        stream=stream,
    ),
)
