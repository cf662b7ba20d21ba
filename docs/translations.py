"""Brings ``outletbot/locale/*.po`` up to what is said in templates and in code.

New messages come in empty, kept ones keep their translation, and what nobody says any
more is dropped. A file changes only if a message does: no dates, no line numbers.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
PACKAGES = ("offers", "webhooks", "outletbot")
LOCALES = ROOT / "outletbot" / "locale"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "Sentence": None}
METHODS = {
    ".py": "python",
    ".html": "jinja2.ext:babel_extract",
    ".txt": "jinja2.ext:babel_extract",
    ".xml": "jinja2.ext:babel_extract",
}
WIDTH = 88
HEADER = """\
msgid ""
msgstr ""
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Language: {language}\\n"
"Plural-Forms: {plural_forms}\\n"

"""


def main() -> None:
    said = list(messages())
    for path in sorted(LOCALES.glob("*.po")):
        catalog = merged(path, said)
        write(catalog, path)
        empty = [message.id for message in catalog if message.id and not done(message)]
        print(f"{path.name}: {len(catalog)} messages, {len(empty)} to translate")
        for message in empty:
            print(f"  {message}")
        if empty:
            sys.exit(1)


def messages() -> Iterator[tuple[str, int, str | tuple[str, ...]]]:
    """Yield file, line and id of everything that is said to people."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if is_source(path):
                place = path.relative_to(ROOT).as_posix()
                for line, message in extracted(path):
                    yield place, line, message


def is_source(path: Path) -> bool:
    """Whether it is code or a template; the sandbox speaks English alone."""
    if "sandbox" in path.parts:
        return False
    page = path.suffix in METHODS and "templates" in path.parts
    return page or path.suffix == ".py"


def extracted(path: Path) -> Iterator[tuple[int, str | tuple[str, ...]]]:
    options = {} if path.suffix == ".py" else {"trimmed": "true", "silent": "false"}
    with path.open("rb") as source:
        found = extract(METHODS[path.suffix], source, KEYWORDS, options=options)
        for line, message, _comments, _context in found:
            yield line, message


def merged(path: Path, said: list[tuple[str, int, str | tuple[str, ...]]]) -> Catalog:
    with path.open("rb") as file:
        before = read_po(file, locale=path.stem)
    catalog = Catalog(locale=path.stem, fuzzy=False)
    for place, line, message in said:
        known = before.get(message if isinstance(message, str) else message[0])
        string = known.string if known and known.id == message else None
        catalog.add(message, string, locations=[(place, line)])
    return catalog


def done(message: Message) -> bool:
    said = message.string
    return all(said) if isinstance(said, tuple) else bool(said)


def write(catalog: Catalog, path: Path) -> None:
    head = HEADER.format(language=path.stem, plural_forms=catalog.plural_forms)
    with path.open("wb") as file:
        file.write(head.encode())
        write_po(
            file,
            catalog,
            width=WIDTH,
            omit_header=True,
            sort_by_file=True,
            include_lineno=False,
        )


if __name__ == "__main__":
    main()
