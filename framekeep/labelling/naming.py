"""Which class a picture is of, as its name and its folders tell."""

from pathlib import PurePosixPath

from framekeep.labelling.classes import WNID, Classes


def told_by_name(classes: Classes, path: str) -> str | None:
    """The WNID that the name begins with; else the nearest folder that is called as a class is."""
    file = PurePosixPath(path)
    names = [file.name.partition("_")[0], *(part.name for part in file.parents if part.name)]
    if classes.wnids:
        wnid = next((name for name in names if WNID.fullmatch(name)), None)
        if wnid is not None:
            return wnid
    return next((name for name in names[1:] if _is_class(classes, name)), None)


def _is_class(classes: Classes, name: str) -> bool:
    if name.isdecimal():
        return False  # "2021" may be a year as well as a class
    try:
        classes.index(name)
    except ValueError:
        return False
    return True
