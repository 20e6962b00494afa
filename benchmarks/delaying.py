"""A port that is as far away as another continent: what comes there arrives later at a port of this machine."""

import asyncio
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["delayed"]

_CHUNK_BYTES = 65536
_START_SECONDS = 10.0


@contextmanager
def delayed(port: int, seconds: float) -> Iterator[int]:
    """Give a port of 127.0.0.1 by which another one is reached, each way after half of `seconds`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        serving = asyncio.run_coroutine_threadsafe(_serve(port, seconds / 2), loop)
        yield serving.result(_START_SECONDS)
    finally:
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(_START_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_START_SECONDS)


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _serve(port: int, delay: float) -> int:
    async def visit(reader: StreamReader, writer: StreamWriter) -> None:
        # Streams complain of a visit that was cancelled.
        with suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_carry(reader, back, delay), _carry(there, writer, delay))

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    return int(server.sockets[0].getsockname()[1])


async def _carry(reader: StreamReader, writer: StreamWriter, delay: float) -> None:
    """Bring what is read to a writer, later; what follows does not wait for what is under way."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            loop.call_later(delay, _write, writer, chunk)
    loop.call_later(delay, _end, writer)


def _write(writer: StreamWriter, chunk: bytes) -> None:
    if not writer.is_closing():
        writer.write(chunk)


def _end(writer: StreamWriter) -> None:
    with suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()
        writer.close()
