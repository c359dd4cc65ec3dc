"""A server that speaks Ollama's protocol, well or badly: what it does with a chat is one function of a test."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Chat = Callable[["Line"], None]
MODELS = [
    {
        "name": "small:0.5b", "size": 491_000_000, "digest": "aaaa1111",
        "details": {"family": "qwen2", "parameter_size": "630.17M", "quantization_level": "Q4_K_M"},
    },
    {
        "name": "small:1.5b", "size": 1_117_000_000, "digest": "bbbb2222",
        "details": {"family": "qwen2", "parameter_size": "1.8B", "quantization_level": "Q4_K_M"},
    },
]  # fmt: skip


class Line:
    """One connection with a chat asked on it; `asked` is the body of the request."""

    def __init__(self, connection: socket.socket, asked: dict[str, Any], gone: threading.Event) -> None:
        self.connection, self.asked, self.gone = connection, asked, gone

    def raw(self, data: bytes) -> None:
        self.connection.sendall(data)

    def head(self, status: str = "200 OK", kind: str = "application/x-ndjson", more: str = "") -> None:
        self.raw(
            f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Transfer-Encoding: chunked\r\n\r\n".encode()
        )

    def chunk(self, data: bytes) -> None:
        self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    def say(self, text: str, **more: Any) -> None:
        part = {"model": "m", "message": {"role": "assistant", "content": text}, "done": False} | more
        self.chunk(json.dumps(part).encode() + b"\n")

    def done(self, reason: str = "stop", prompt: int = 200, said: int = 3) -> None:
        self.say("", done=True, done_reason=reason, prompt_eval_count=prompt, eval_count=said)
        self.raw(b"0\r\n\r\n")

    def answer(self, *pieces: str, **more: Any) -> None:
        self.head()
        for piece in pieces:
            self.say(piece)
        self.done(**more)

    def page(self, status: str, body: str, kind: str = "application/json") -> None:
        data = body.encode()
        self.raw(
            f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n".encode()
            + data
        )

    def hang(self, seconds: float = 30) -> None:
        """Nothing more, until the other side has had enough."""
        self.connection.settimeout(seconds)
        try:
            if not self.connection.recv(1):
                self.gone.set()
        except OSError:
            self.gone.set()


class Stub:
    """`gone` is set once a client hung up on a chat that was still going on."""

    def __init__(self, chat: Chat, listed: Any = None) -> None:
        self.chat = chat
        self.listed = {"models": MODELS} if listed is None else listed
        self.gone = threading.Event()
        self.chats = 0
        self.asked: list[dict[str, Any]] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open = True
        self.host = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._start(self._accept)

    def close(self) -> None:
        self._open = False
        with socket.create_connection(self._server.getsockname()):
            pass  # wakes what accepts
        for thread in self._threads:
            thread.join(40)
        self._server.close()

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, name="stub", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._server.accept()
            if not self._open:
                connection.close()
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(30)
            try:
                path, body = _request(connection)
                self._reply(connection, path, body)
            except OSError:
                self.gone.set()

    def _reply(self, connection: socket.socket, path: str, body: bytes) -> None:
        line = Line(connection, json.loads(body or b"{}"), self.gone)
        if path == "/api/chat":
            self.chats += 1
            self.asked.append(line.asked)
            self.chat(line)
        elif path == "/api/tags":
            line.page("200 OK", json.dumps(self.listed))
        elif path == "/api/ps":
            line.page("200 OK", json.dumps({"models": self.listed["models"][:1]}))
        elif path == "/api/show":
            line.page("200 OK", json.dumps({"model_info": {"qwen2.context_length": 32768}}))
        elif path:
            line.page("404 Not Found", "404 page not found", "text/plain")


def _request(connection: socket.socket) -> tuple[str, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        got = connection.recv(65536)
        if not got:
            return "", b""
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head.split()[1].decode(), body


@contextmanager
def serving(chat: Chat, listed: Any = None) -> Iterator[Stub]:
    stub = Stub(chat, listed)
    try:
        yield stub
    finally:
        stub.close()


def drip(line: Line, data: bytes, seconds: float) -> None:
    """One byte after the other."""
    for byte in data:
        line.raw(bytes([byte]))
        time.sleep(seconds)
