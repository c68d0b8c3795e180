"""Links: what is fetched, against real servers on loopback, and what is not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from assistant import UnreadableError
from assistant.testing.desk import PluginDesk
from plugins.links import Links
from plugins.links.fetching import fetch, is_public, resolve

Answer = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A web server on one loopback address; `asked` are the requests that reached it."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.pages: dict[str, Answer] = {}
        self.asked: list[tuple[str, str]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.headers["Host"], self.path))
                site.pages[self.path](self)

            def log_message(self, *parts: Any) -> None:
                pass

        self.server = ThreadingHTTPServer((address, port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True).start()

    def fetch(self, path: str, **options: Any) -> str:
        """Fetches as if this server were a public one named shop.test."""
        options = {
            "resolve": lambda *_: ["127.0.0.1"],
            "public": lambda _: True,
            "ports": [self.port],
            **options,
        }
        return fetch(f"http://shop.test:{self.port}{path}", **options)


@pytest.fixture
def open_site() -> Iterator[Callable[..., Site]]:
    opened: list[Site] = []

    def make(*args: Any) -> Site:
        opened.append(Site(*args))
        return opened[-1]

    yield make
    for one in opened:
        one.server.shutdown()
        one.server.server_close()


@pytest.fixture
def site(open_site: Callable[..., Site]) -> Site:
    return open_site()


def page(content: bytes, kind: str = "text/html; charset=utf-8") -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.end_headers()
        request.wfile.write(content)

    return answer


def redirect(target: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", target)
        request.end_headers()

    return answer


def test_a_page_is_read_as_text(site: Site) -> None:
    site.pages["/status?q=caf%C3%A9"] = page("<h1>Störung</h1><script>x</script>".encode())

    assert site.fetch("/status?q=café") == "Störung"
    assert site.asked == [(f"shop.test:{site.port}", "/status?q=caf%C3%A9")]


def test_a_redirect_is_followed_and_checked_again(site: Site) -> None:
    site.pages["/old"] = redirect("/new")
    site.pages["/new"] = page(b"Moved here")

    assert site.fetch("/old") == "Moved here"


NOT_PUBLIC = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",  # carriers' own
    "169.254.169.254",  # metadata of clouds
    "192.0.0.192",  # metadata of Oracle
    "168.63.129.16",  # of Azure
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",  # metadata of AWS
    "ff02::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_on_the_public_internet_is_not_asked(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:8.8.8.8"]
)
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "0",
    "localhost",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "１２７.0.0.1",
]


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_loopback_reaches_a_server_there(site: Site, host: str) -> None:
    with pytest.raises(UnreadableError, match=r"not a public one|unknown"):
        fetch(f"http://{host}:{site.port}/", resolve=resolve)

    assert site.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://shop.test/",
        "http://user:word@shop.test/",
        "http://[half",
        "http://shop.test:99999/",
        "http:///no-host",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(UnreadableError, match="its address"):
        fetch(url, resolve=lambda *_: ["93.184.216.34"])


def test_a_name_with_one_address_inside_is_refused(site: Site) -> None:
    with pytest.raises(UnreadableError, match="not a public one"):
        site.fetch("/", resolve=lambda *_: ["93.184.216.34", "127.0.0.1"], public=is_public)


def test_a_redirect_to_the_inside_is_refused(site: Site, open_site: Callable[..., Site]) -> None:
    inside = open_site("127.0.0.2")
    site.pages["/"] = redirect(f"http://127.0.0.2:{inside.port}/secret")

    def both(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "shop.test" else resolve(host, port)

    with pytest.raises(UnreadableError, match="not a public one"):
        site.fetch("/", resolve=both, public=lambda address: address == "127.0.0.1")

    assert inside.asked == []


def test_a_name_that_answers_differently_the_second_time_gains_nothing(
    open_site: Callable[..., Site],
) -> None:
    outside = open_site("127.0.0.2")
    inside = open_site("127.0.0.1", outside.port)
    outside.pages["/"] = page(b"public")
    answers = iter([["127.0.0.2"], ["127.0.0.1"]])

    text = outside.fetch(
        "/", resolve=lambda *_: next(answers), public=lambda address: address == "127.0.0.2"
    )

    assert text == "public"
    assert inside.asked == []
    assert next(answers) == ["127.0.0.1"]  # the second answer was never asked for


def test_only_so_much_is_read(site: Site) -> None:
    site.pages["/"] = page(b"x" * 500_000, "text/plain")

    assert len(site.fetch("/", max_bytes=1_000)) == 1_000


@pytest.mark.parametrize("while_", ["headers", "body"])
def test_a_server_that_drips_is_left(site: Site, while_: str) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        if while_ == "body":
            page(b"begin")(request)
        for _ in range(50):
            try:
                request.wfile.write(b"H")
            except OSError:
                return
            time.sleep(0.1)

    site.pages["/"] = drip
    began = time.monotonic()

    with pytest.raises(UnreadableError, match=r"longer than 0.5 s|could not be fetched"):
        site.fetch("/", timeout_s=0.5)

    assert time.monotonic() - began < 4


def test_redirects_without_end_are_left(site: Site) -> None:
    site.pages["/"] = redirect("/")

    with pytest.raises(UnreadableError, match="redirects more than"):
        site.fetch("/")


@pytest.mark.parametrize(("kind", "why"), [("application/pdf", "no page of text")])
def test_only_text_is_read(site: Site, kind: str, why: str) -> None:
    site.pages["/"] = page(b"%PDF", kind)

    with pytest.raises(UnreadableError, match=why):
        site.fetch("/")


def test_an_error_page_is_no_page(site: Site) -> None:
    site.pages["/"] = lambda request: request.send_error(404)

    with pytest.raises(UnreadableError, match="its server answered 404"):
        site.fetch("/")


def test_odd_ports_are_left_alone() -> None:
    with pytest.raises(UnreadableError, match="port 6379"):
        fetch("http://shop.test:6379/", resolve=lambda *_: ["93.184.216.34"])


# --- The plugin ---


def test_it_fetches_nothing_until_it_is_enabled(plugin_desk: PluginDesk, site: Site) -> None:
    plugin_desk.add("links", Links)

    assert plugin_desk.receive(f"See http://127.0.0.1:{site.port}/").attachments == ()
    assert site.asked == []


def test_a_page_that_cannot_be_had_is_said(plugin_desk: PluginDesk, site: Site) -> None:
    plugin_desk.add("links", Links, {"enabled": True})

    (file,) = plugin_desk.receive(f"See (http://127.0.0.1:{site.port}/a).").attachments

    assert (file.filename, file.missing) == ("127.0.0.1.txt", "its host is not a public one")
    assert site.asked == []


def test_a_page_becomes_a_file_beside_the_message(
    plugin_desk: PluginDesk, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/"] = page(b"<p>Maintenance until noon</p>")
    monkeypatch.setitem(fetch.__kwdefaults__, "public", lambda address: True)
    monkeypatch.setitem(fetch.__kwdefaults__, "ports", [site.port])
    plugin_desk.add("links", Links, {"enabled": True})

    (file,) = plugin_desk.receive(f"It says http://127.0.0.1:{site.port}/").attachments

    assert (file.media_type, file.content) == ("text/plain", b"Maintenance until noon")


def test_only_so_many_links_of_allowed_hosts_are_fetched() -> None:
    links = Links(Links.Settings(enabled=True, hosts=("*.example.com",), most=2))
    text = "https://a.example.com/x, https://example.org <https://b.example.com> http://[ "

    assert list(links.urls(f"{text} {text} https://c.example.com")) == [
        "https://a.example.com/x",
        "https://b.example.com",
    ]
