"""The bank: lets a bank debit come, or not, some seconds after it was promised."""

import asyncio

from outletbot.sandbox.stripe_state import StripeSandbox

TAKES = 8.0  # seconds; a real one takes days


class Bank:
    def __init__(self, stripe: StripeSandbox, *, takes: float = TAKES) -> None:
        self._stripe = stripe
        self._takes = takes
        self._waiting: set[asyncio.Task[None]] = set()

    def expect(self, session_id: str, comes: bool) -> None:  # noqa: FBT001
        """A shopper promised to pay a page by debit; *comes* says whether it will."""
        task = asyncio.create_task(self._decide(session_id, comes))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def close(self) -> None:
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _decide(self, session_id: str, comes: bool) -> None:  # noqa: FBT001
        await asyncio.sleep(self._takes)
        if comes:
            self._stripe.conclude(session_id)
        else:
            self._stripe.disappoint(session_id)
