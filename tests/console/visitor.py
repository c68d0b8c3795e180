"""A browser without a screen: cookies, redirects and forms over real HTTP."""

from __future__ import annotations

import re

import httpx

from tests.console_desk import PASSWORD


class Visitor(httpx.Client):
    """Somebody at the console."""

    def __init__(self, address: str) -> None:
        super().__init__(base_url=address, follow_redirects=False, timeout=30)

    def log_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """Fills in the form."""
        return self.post("/log-in", data={"name": name, "password": password})

    def token(self) -> str:
        """What forms of this session carry."""
        found = re.search(r'"X-Form-Token": "([0-9a-f]*)"', self.get("/account").text)
        return found[1] if found else ""

    def submit(self, path: str, **fields: str) -> httpx.Response:
        """Sends a form as the page would."""
        return self.post(path, data={"form_token": self.token(), **fields})
