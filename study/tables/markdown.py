"""Tables as Markdown."""

from collections.abc import Sequence

from study.tables.sheets import Sheet


def markdown(made: Sequence[Sheet]) -> str:
    """Every sheet under a heading of its own."""
    return "\n".join(f"### {sheet.heading}\n\n{_table(sheet)}\n" for sheet in made)


def _table(sheet: Sheet) -> str:
    rule = ["---" if k < sheet.words else "---:" for k in range(len(sheet.headers))]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in (sheet.headers, rule, *sheet.rows))


def _cell(text: str) -> str:
    return text.strip().replace("|", "\\|")
