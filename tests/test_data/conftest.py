"""What the data room's tests share: a cache of their own, and a web server of their own."""

from __future__ import annotations

import bz2
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from zipnet.data import usps
from zipnet.data.digits import Splits
from zipnet.data.fetch import Remote


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """An empty cache folder, and no variable set that would lead the test elsewhere."""
    if "real_data" not in request.fixturenames:
        monkeypatch.delenv("ZIPNET_DATA", raising=False)
    monkeypatch.delenv("ZIPNET_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "cache"
    monkeypatch.setenv("ZIPNET_CACHE", str(folder))
    return folder


@dataclass
class Web:
    """A server on this machine: files by name, each sent as it is, or cut after `cut` bytes."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    site = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            site.requests.append(name)
            body = site.files.get(name)
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: site.cut.get(name)])

        def log_message(self, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # so that server_close() waits for them
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("ZIPNET_MIRROR", site.address)
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def published(name: str, content: bytes) -> Remote:
    return Remote("http://127.0.0.1:9", name, hashlib.md5(content).hexdigest())


def libsvm(x: np.ndarray, y: np.ndarray) -> str:
    """(n, 16, 16) and (n,) 0 to 9 as LIBSVM text; pixels of exactly 0 are left out."""
    return "".join(
        f"{label + 1} "
        + " ".join(f"{i}:{value}" for i, value in enumerate(image.ravel(), 1) if value)
        + "\n"
        for image, label in zip(x, y, strict=True)
    )


@pytest.fixture
def small() -> Splits:
    """30 and 20 random digits in three decimals, as USPS has them."""
    rng = np.random.default_rng(0)

    def split(n: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.uniform(-1, 1, (n, 16, 16)).round(3).astype(np.float32)
        return x, rng.integers(0, 10, n).astype(np.uint8)

    return Splits(*split(30), *split(20))


@pytest.fixture
def small_usps(web: Web, small: Splits, monkeypatch: pytest.MonkeyPatch) -> Splits:
    """The small digits, published on the server as if they were USPS."""
    web.files["usps.bz2"] = bz2.compress(libsvm(small.x_train, small.y_train).encode())
    web.files["usps.t.bz2"] = bz2.compress(libsvm(small.x_test, small.y_test).encode())
    files = tuple(published(name, content) for name, content in web.files.items())
    monkeypatch.setattr(usps, "FILES", files)
    return small
