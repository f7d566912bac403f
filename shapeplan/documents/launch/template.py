"""The command that trains a run: text for a shell, in which ``{column}`` stands for a value of the design.

Values are data, never shell: each is quoted as the place where it stands requires, inside quotes too. Where that cannot
be told without a parser of the shell's language (command substitution in quotes, here-documents, a command within a
string for another shell) the template is refused.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from string import Formatter

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.frozen import frozen

Value = str | int | float

_MARK = "\0"
"""Stands for a placeholder while the text around it is read; no argument of a program can hold it."""
_QUOTES = ("'", '"')
_REFUSED = rf"\\(?:{_MARK}|\Z)|\${_MARK}|`"
"""What is read on beyond itself: a backslash or a dollar sign before a value, and a command inside quotes."""
_TOKENS = {
    "": re.compile(rf"{_REFUSED}|{_MARK}[<>]|\$'|\(\(|(?<!<)<<(?!<)|(?:^|(?<=[\s;&|(]))#|\\.|['\"]|{_MARK}", re.DOTALL),
    "'": re.compile(rf"'|{_MARK}"),
    '"': re.compile(rf"{_REFUSED}|\$\{{\w+\}}|\$[({{]|\\.|\"|{_MARK}", re.DOTALL),
}
"""What matters of a text outside quotes and inside each kind of them (POSIX shells, chapter 2.2)."""
_PLAIN = re.compile(r"\\[^\0]|\$\{\w+\}", re.DOTALL)
_OTHER_SHELL = re.compile(r"(?:^|[\s;&|(])(?:eval|ssh)\s")
_FLAG_OF_A_COMMAND = re.compile(r"(?:^|\s)-[A-Za-z]*c\s+")
"""What is before a string that another program reads as commands."""
_IN_A_SCRIPT = "leave it out, or put such a command into a script of its own: 'bash train.sh {run}'"


@frozen
class Placeholder:
    """Where a value stands, and the quotes that are open there: none, ``'`` or ``"``."""

    column: str
    quotes: str


@frozen
class Template:
    """A command with its placeholders."""

    parts: tuple[str | Placeholder, ...]

    def fill(self, row: Mapping[str, Value], quote: Callable[[str], str] = shlex.quote) -> str:
        """Return the command of a run.

        Parameters
        ----------
        row : mapping of str to str, int or float
            The values, by column.
        quote : callable
            From a text to the word of a shell outside quotes that means it.
        """
        return self._joined(lambda place: _quoted(place, str(row[place.column]), quote))

    def substitute(self, replacement: Callable[[str], str]) -> str:
        """Return the text with something that needs no quoting in place of every placeholder, by its column."""
        return self._joined(lambda place: replacement(place.column))

    def _joined(self, value: Callable[[Placeholder], str]) -> str:
        return "".join(part if isinstance(part, str) else value(part) for part in self.parts)


def parse_template(text: str, columns: Sequence[str]) -> Template:
    """Read a command; ``{{`` and ``}}`` are braces.

    Parameters
    ----------
    text : str
        As a shell takes it.
    columns : sequence of str
        Of the design.

    Raises
    ------
    ArgumentError
        If a placeholder is no column, a brace or a quote stands alone, or a value stands where it cannot be quoted.
    """
    literals, named = _split(text)
    there = f"the columns are {', '.join(columns)}; braces are written {{{{ and }}}}"
    if unknown := [name for name in named if name not in columns]:
        many = "s" if len(unknown) > 1 else ""
        shown = ", ".join(f"{{{name}}}" for name in dict.fromkeys(unknown))
        message = f"`command` has the placeholder{many} {shown}, and the design no such column{many}"
        raise ArgumentError(ErrorDetail("unknown-placeholder", message, there, value=text))
    quotes = _open_quotes(_MARK.join(literals), text)
    parts: list[str | Placeholder] = [literals[0]]
    for name, quote, literal in zip(named, quotes, literals[1:], strict=True):
        parts += [Placeholder(name, quote), literal]
    return Template(tuple(parts))


def default_command(columns: Sequence[str]) -> str:
    """Return a command that gives the trainer every column by its name."""
    return " ".join(["python train.py", *(f"{shlex.quote(f'--{column}')} {{{column}}}" for column in columns)])


def _split(text: str) -> tuple[list[str], list[str]]:
    """Return the texts around placeholders, one more than there are, and what is inside the placeholders."""
    literals, named = [""], []
    try:
        for literal, name, form, conversion in Formatter().parse(text):
            literals[-1] += literal
            if name is not None:
                named.append(name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else ""))
                literals.append("")
    except ValueError:
        message = "`command` has a brace that belongs to no placeholder"
        raise ArgumentError(
            ErrorDetail("bad-command", message, "write {width} for a value, and {{ or }} for a brace", value=text)
        ) from None
    if not text.strip() or _MARK in text:
        why = "is empty" if not text.strip() else "holds a NUL, which no command can"
        raise ArgumentError(
            ErrorDetail("bad-command", f"`command` {why}", "write e.g. 'python train.py --run {run}'", value=text)
        )
    return literals, named


def _open_quotes(marked: str, text: str) -> list[str]:
    """Return the quotes that are open at every placeholder."""
    found, quote, place, opened = [], "", 0, 0
    while match := _TOKENS[quote].search(marked, place):
        token, place = match.group(), match.end()
        if token == _MARK:
            if _OTHER_SHELL.search(marked, 0, match.start()) or (quote and _is_command(marked[:opened])):
                raise _refused("a placeholder in a command for another shell", text)
            found.append(quote)
        elif token in _QUOTES:
            quote, opened = ("", 0) if quote else (token, match.start())
        elif not _PLAIN.fullmatch(token):
            raise _refused(token.replace(_MARK, "{...}"), text)
    if quote:
        message = f"`command` opens a quote, {quote}, and does not close it"
        raise ArgumentError(ErrorDetail("bad-command", message, "close it", value=text))
    return found


def _is_command(before: str) -> bool:
    """Return whether a string, by what is before it, is the command of another program (``bash -c``)."""
    flag = re.search(r"\S+\s+$", before)
    return flag is not None and _FLAG_OF_A_COMMAND.fullmatch(flag.group()) is not None


def _refused(what: str, text: str) -> ArgumentError:
    message = f"`command` has {what}, where a value cannot be quoted safely"
    return ArgumentError(ErrorDetail("bad-command", message, _IN_A_SCRIPT, value=text))


def _quoted(place: Placeholder, value: str, quote: Callable[[str], str]) -> str:
    word = quote(value)
    # Inside quotes these are closed before the word, and opened again after it.
    return word if word == value else f"{place.quotes}{word}{place.quotes}"
