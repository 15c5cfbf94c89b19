"""One rate for all bulk results together, in bytes a second: how a thin line is rehearsed.

It slows and refuses nothing else. The rate may change while results are being sent; the change is seen within a
second. Promise: over any stretch longer than a second, all result bodies together stay within the rate.
"""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from anyio import to_thread

CHUNK = 1 << 20
ASK_EVERY = 1.0  # seconds between two looks at the rate, which may sit in a database


class Throttle:
    """A shared allowance of bytes. `ask` tells the rate in bytes a second; None or 0 means as fast as it goes.

    `now` (seconds) and `sleep` are time itself, unless a test brings its own.
    """

    def __init__(
        self,
        ask: Callable[[], int | None],
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ask = ask
        self._now = now
        self._sleep = sleep
        self._rate: int | None = None
        self._asked_at = float("-inf")
        self._free_at = 0.0

    async def current_rate(self) -> int | None:
        """The rate in force, asked for about once a second."""
        now = self._now()
        if now - self._asked_at >= ASK_EVERY:
            self._rate = await to_thread.run_sync(self._ask)
            self._asked_at = now  # not before the answer: who comes meanwhile would take no answer for no limit
        return self._rate or None

    async def chunk_size(self) -> int:
        """How much to send at once: a megabyte, or a tenth of a second's allowance."""
        rate = await self.current_rate()
        return CHUNK if rate is None else max(1, min(CHUNK, rate // 10))

    async def wait_for(self, size: int) -> None:
        """Wait until `size` more bytes may be sent."""
        rate = await self.current_rate()
        if rate is None:
            return
        now = self._now()
        start = max(now, self._free_at)
        self._free_at = start + size / rate
        if start > now:
            await self._sleep(start - now)


async def stream_range(
    path: Path, spans: list[tuple[int, int]], throttle: Throttle, *, zipped: bool = False
) -> AsyncIterator[bytes]:
    """The bytes of a file in the given half-open spans, in order and at the shared rate; as one gzip body if asked."""
    squeeze = zlib.compressobj(1, wbits=31) if zipped else None
    file = await to_thread.run_sync(path.open, "rb")
    try:
        for start, end in spans:
            file.seek(start)
            left = end - start
            while left > 0:
                piece: bytes = await to_thread.run_sync(file.read, min(left, await throttle.chunk_size()))
                if not piece:
                    raise OSError(f"{path.name} is shorter than its index says")
                left -= len(piece)
                if squeeze is not None:
                    piece = await to_thread.run_sync(squeeze.compress, piece)
                if piece:
                    await throttle.wait_for(len(piece))
                    yield piece
        if squeeze is not None:
            yield squeeze.flush()
    finally:
        file.close()
