"""File names are bytes. How a name that may hold anything is shown to people and in JSON."""


def printable(name: str) -> str:
    r"""A name as text that a terminal can show: bytes that are not UTF-8 and control characters become `\xNN`."""
    if name.isprintable():
        return name
    return "".join(char if char.isprintable() else _escaped(char) for char in name)


def _escaped(char: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
