"""Folders of help articles -> Article: what is there, whether it changed, and what it says.

for file in Folder(path).files():          # ArticleFile or Unreadable
    if known.get(file.id) != file.content_hash():
        article = file.read()              # or UnreadableError
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from assistant.articles import Article, Audience, Picture, Section
from assistant.errors import UnreadableError
from assistant.knowledge.listing import Unreadable, list_files, printable, reason
from assistant.knowledge.outline import Outline
from assistant.knowledge.plaintext import decode, read_text, split_front_matter

_FORMATS = {
    ".md": "markdown", ".markdown": "markdown", ".mdown": "markdown", ".mdx": "markdown",
    ".rst": "restructured", ".rest": "restructured",
    ".html": "html", ".htm": "html", ".xhtml": "html",
    ".pdf": "pdf", ".docx": "docx",
    ".txt": "text", ".text": "text",
}  # fmt: skip
_PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".svg", ".avif"}
# Part of every content hash: raise it when the readers change, and all articles are read again.
_READERS = "3"
_PICTURE_REFERENCE = re.compile(
    rb"""(?:["'(<=]|::)\s*([^"'()<>\n]{1,500}?\.(?:png|jpe?g|gif|webp|bmp|tiff?|svg|avif))""", re.I
)


@dataclass(frozen=True)
class Folder:
    """A folder of articles, or a single file, and what holds for articles that do not say
    otherwise in their front matter or meta tags.

    `base_url` is where the folder is published: an article's address is made from it and from the
    article's path, unless the article names its own. Without it, only those have addresses.
    """

    root: Path
    source: str = ""
    product: str = ""
    language: str = ""
    audience: Audience = "public"
    base_url: str = ""
    max_file_mb: int = 20

    def files(self) -> Iterator[ArticleFile | Unreadable]:
        """Every article file in order of its path, and what is no article, with the reason.

        Hidden files, `node_modules` and pictures are passed over. Links are followed to files
        within the folder, never out of it. Kinds of files that are not read are reported once.
        Raises UnreadableError when the folder itself is missing or cannot be listed.
        """
        root = self.root.resolve()
        if root.is_file():
            yield ArticleFile(root.name, root, replace(self, root=root.parent))
            return
        try:
            os.listdir(root)
        except OSError as error:
            raise UnreadableError(
                f"{self.root} cannot be listed: {reason(error)}. Name an existing folder or file."
            ) from error
        inside = replace(self, root=root)
        unknown: Counter[str] = Counter()
        for entry in list_files(root):
            if isinstance(entry, Unreadable):
                yield entry
            elif (suffix := entry.suffix.lower()) in _FORMATS:
                yield ArticleFile(printable(entry.relative_to(root).as_posix()), entry, inside)
            elif suffix not in _PICTURES:
                unknown[suffix or entry.name] += 1
        for kind, count in sorted(unknown.items()):
            files = "file" if count == 1 else "files"
            name = f"*{kind}" if kind.startswith(".") else printable(kind)
            yield Unreadable(
                name, f"{count} {files} of a kind that is not read; read are {', '.join(_FORMATS)}"
            )

    def articles(self) -> Iterator[Article | Unreadable]:
        """Reads every article, without asking whether it changed. One that cannot be read comes
        as Unreadable, and the others go on."""
        for file in self.files():
            if isinstance(file, Unreadable):
                yield file
                continue
            try:
                yield file.read()
            except UnreadableError as error:
                yield Unreadable(file.id, str(error))


@dataclass(frozen=True)
class ArticleFile:
    """A file that holds an article; `id` is its path below the folder, with slashes."""

    id: str
    path: Path
    folder: Folder

    def content_hash(self) -> str:
        """SHA-256, in hex, of the file, the pictures it names and the folder's defaults: the same
        as that of the article that `read` returns, found without parsing.

        Raises UnreadableError when the file is gone, too large, or may not be read.
        """
        return self._hash(self._content())

    def read(self) -> Article:
        """The article in the file.

        Raises UnreadableError with a reason that names neither the file nor its folder.
        """
        content = self._content()
        if not content.strip(b"\x00 \t\r\n"):
            raise UnreadableError("is empty")
        outline = self._outline(content)
        said = outline.metadata
        if said.get("draft", "").lower() == "true":
            raise UnreadableError("is left out: it says of itself that it is a draft")
        title = outline.title(said.get("page title") or _humanised(self.path))
        sections = tuple(self._with_pictures(section) for section in outline.sections(title))
        if not any(s.text or s.pictures for s in sections) and not outline.has_heading():
            raise UnreadableError("holds no text")
        return Article(
            id=self.id,
            title=title,
            sections=sections,
            url=self._url(said),
            source=self.folder.source,
            product=said.get("product") or self.folder.product,
            language=_language(said) or self.folder.language,
            audience=_audience(said.get("audience", ""), self.folder.audience),
            labels=outline.labels(),
            content_hash=self._hash(content),
        )

    def _content(self) -> bytes:
        limit = self.folder.max_file_mb * 1_000_000
        try:
            # A pipe under an article's name would hold the reader for ever: hence not blocking.
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            with open(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise UnreadableError("is no ordinary file")
                if status.st_size > limit:
                    raise UnreadableError(
                        f"has {status.st_size / 1e6:.1f} MB; at most {self.folder.max_file_mb} MB "
                        "are read (knowledge.max_file_mb)"
                    )
                return file.read(limit)
        except OSError as error:
            raise UnreadableError(f"cannot be opened: {reason(error)}") from error

    def _outline(self, content: bytes) -> Outline:
        kind = _FORMATS[self.path.suffix.lower()]
        try:
            if kind in ("pdf", "docx"):
                from assistant.knowledge import documents

                return (
                    documents.read_pdf(content) if kind == "pdf" else documents.read_docx(content)
                )
            text = decode(content, html=kind == "html")
            if kind == "html":
                from assistant.knowledge.webpage import read_html

                return read_html(text)
            metadata, text = split_front_matter(text)
            if kind == "markdown":
                from assistant.knowledge.markdown import read_markdown

                outline = read_markdown(text)
            elif kind == "restructured":
                from assistant.knowledge.restructured import read_restructured

                outline = read_restructured(text)
            else:
                outline = read_text(text)
            outline.metadata.update(metadata)
            return outline
        except RecursionError as error:
            raise UnreadableError("is nested too deeply to be read whole") from error

    def _hash(self, content: bytes) -> str:
        digest = hashlib.sha256(_READERS.encode())
        said = asdict(replace(self.folder, root=Path(), max_file_mb=0))
        digest.update(repr(sorted(said.items())).encode())
        digest.update(content)
        if self.path.suffix.lower() not in (".pdf", ".docx"):
            names = {
                reference.decode("utf-8", "replace").split("::")[-1]
                for reference in _PICTURE_REFERENCE.findall(content)
            }
            for picture in sorted({p for p in map(self._picture, names) if p}):
                with open(picture, "rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    def _with_pictures(self, section: Section) -> Section:
        """`section` with the pictures that exist on this machine, by their absolute paths."""
        found: dict[str, Picture] = {}
        for picture in section.pictures:
            path = self._picture(picture.path)
            if path:
                found.setdefault(path, Picture(path, picture.alt))
        return replace(section, pictures=tuple(found.values()))

    def _picture(self, reference: str) -> str | None:
        """The picture's file, which must lie within the folder: a path from the article, or from
        the site's root, which builders keep in the folder or in its `static` or `public`."""
        try:
            parts = urlsplit(reference.strip())
        except ValueError:
            return None
        if parts.scheme or parts.netloc or not parts.path:
            return None
        path, root = unquote(parts.path), self.folder.root
        for start in (self.path.parent, root, root / "static", root / "public"):
            candidate = start / (path if start == self.path.parent else path.lstrip("/"))
            try:
                candidate = candidate.resolve()
                if candidate.is_relative_to(root) and candidate.is_file():
                    return str(candidate)
            except (OSError, ValueError, RuntimeError):
                continue
        return None

    def _url(self, said: dict[str, str]) -> str:
        """The article's address: what it says itself, or made from its path below `base_url`."""
        own = said.get("url") or said.get("permalink") or said.get("slug") or ""
        if urlsplit(own).scheme in ("http", "https"):
            return own
        if not self.folder.base_url:
            return ""
        base = self.folder.base_url.rstrip("/") + "/"
        path = self.id
        if self.path.suffix.lower() not in (".pdf", ".docx", ".html", ".htm"):
            path = path[: -len(self.path.suffix)]
        folder, _, name = path.rpartition("/")
        if own:
            path = own.lstrip("/") if own.startswith("/") else f"{folder}/{own}".lstrip("/")
        elif name.lower() in ("index", "_index", "readme", "index.html"):
            path = f"{folder}/" if folder else ""
        return urljoin(base, path.replace(" ", "%20"))


def _humanised(path: Path) -> str:
    """A title made from a file's name."""
    words = printable(path.stem).replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:] or "Untitled"


def _language(said: dict[str, str]) -> str:
    return said.get("language") or said.get("lang") or said.get("locale") or ""


def _audience(said: str, default: Audience) -> Audience:
    """Who may see the article. A word that is not known must not make it public."""
    value = said.strip().lower() or default
    if value == "public":
        return "public"
    if value == "internal":
        return "internal"
    raise UnreadableError(f"says its audience is {said!r}; write 'public' or 'internal'")
