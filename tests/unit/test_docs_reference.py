"""docs/reference.md says what the code says: the parts between its marks are made here, and compared."""

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from typer.models import ArgumentInfo, CommandInfo, ParameterInfo

import storage.root
from cli.main import VERBS
from cli.sweep import _INTERRUPTED, _PARTIAL
from daemon.config.showing import template
from framekeep.errors import FramekeepError
from framekeep.reasons import Reason

OR = "\\|"  # within a table
REFERENCE = Path(__file__).parents[2] / "docs" / "reference.md"


@dataclass(frozen=True)
class Command:
    """A command as our own code declares it."""

    name: str
    told: CommandInfo

    @property
    def parameters(self) -> dict[str, tuple[object, ParameterInfo]]:
        """The type and the declaration of each argument and option that not every command has, by its name."""
        hints = get_type_hints(self.told.callback, include_extras=True)
        return {name: get_args(hint) for name, hint in hints.items() if name not in ("config", "return")}


def commands() -> Iterator[Command]:
    for verb, module in VERBS.items():
        app = importlib.import_module(module).app
        others = (told for group in app.registered_groups for told in group.typer_instance.registered_commands)
        for told in (*app.registered_commands, *others):
            yield Command(f"{verb} {told.callback.__name__}" if app.registered_callback else verb, told)


def command_section() -> str:
    return "\n\n".join("\n\n".join(described(command)) for command in commands())


def described(command: Command) -> Iterator[str]:
    """A command's name, help, arguments and options, and its example."""
    yield f"### framekeep {command.name}"
    yield cleandoc(command.told.callback.__doc__)
    rows = [f"| `{usage(name, *parameter)}` | {parameter[1].help} |" for name, parameter in command.parameters.items()]
    if rows:
        yield "\n".join(["| | |", "|---|---|", *rows])
    yield re.sub("Example: (.*)", r"Example: `\1`", command.told.epilog)


def usage(name: str, type_: object, declared: ParameterInfo) -> str:
    if isinstance(declared, ArgumentInfo):
        return declared.metavar or f"{name.upper()}..."
    # Where an option is declared within Annotated, typer has its first name for its default.
    names = [word for word in (declared.default, *(declared.param_decls or ())) if isinstance(word, str)]
    value = "" if type_ is bool else f" {declared.metavar or OR.join(choices(type_))}"
    return ", ".join(names or [f"--{name.replace('_', '-')}"]) + value


def choices(type_: object) -> list[str]:
    """The words of a Literal, also of one that may be None."""
    return [word for part in get_args(type_) for word in get_args(part)]


def exit_codes() -> str:
    codes = {
        0: "Done.",
        1: "A bug; its trace is shown.",
        _PARTIAL: "Partial: some pictures failed, or some folders could not be read.",
        _INTERRUPTED: "Interrupted; what was in flight is done.",
    }
    codes |= {error.exit_code: cleandoc(error.__doc__) for error in FramekeepError.__subclasses__()}
    return "\n".join(["| code | meaning |", "|---|---|", *(f"| {code} | {codes[code]} |" for code in sorted(codes))])


def reasons() -> str:
    rows = [f"| `{reason.word}` | {reason.standing} | {reason.sentence} |" for reason in Reason]
    return "\n".join(["| word | standing | meaning |", "|---|---|---|", *rows])


def configuration() -> str:
    return f"```toml\n{template().rstrip()}\n```"


def layout() -> str:
    return "\n".join(f"    {line}" for line in storage.root.__doc__.strip().splitlines()[2:])


SECTIONS = {
    "commands": command_section,
    "exit codes": exit_codes,
    "reasons": reasons,
    "configuration": configuration,
    "layout": layout,
}


def made(text: str) -> str:
    """The reference with every section as the code says it now."""
    for name, section in SECTIONS.items():
        begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
        head, rest = text.split(begin)
        text = f"{head}{begin}\n\n{section()}\n\n{end}{rest.split(end)[1]}"
    return text


def test_the_reference_says_what_the_code_says(update_golden: bool) -> None:
    if update_golden:
        REFERENCE.write_text(made(REFERENCE.read_text()))
    assert REFERENCE.read_text() == made(REFERENCE.read_text())


@pytest.mark.parametrize("command", list(commands()), ids=lambda command: command.name)
def test_every_command_has_help_with_an_example_of_its_own(command: Command) -> None:
    assert command.told.callback.__doc__
    assert command.told.epilog.startswith(f"Example: framekeep {command.name}")
    assert [name for name, (_, declared) in command.parameters.items() if not declared.help] == []
