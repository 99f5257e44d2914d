"""Why a picture was replaced or kept: a closed enumeration."""

from enum import Enum, StrEnum


class Standing(StrEnum):
    """How long a reason holds."""

    REPLACED = "replaced"
    """The path holds a variant now."""
    FINAL = "final"
    """Kept; looked at again only when the content or the settings change."""
    LATER = "later"
    """Kept for now; the next rescan or sweep looks again."""
    FAILED = "failed"
    """Kept because something went wrong; the next rescan or sweep tries again."""


class Reason(Enum):
    """A reason's value is the word that the ledger stores."""

    QUALIFIED = (
        "qualified",
        Standing.REPLACED,
        "the smallest variant found in which the model sees what has to stay",
    )
    SQUEEZED = "squeezed", Standing.REPLACED, "the original's own pixels, packed losslessly into fewer bytes"
    OBJECTS_FOUND = "objects_found", Standing.REPLACED, "objects were found, so its quality is the least allowed then"
    WHOLE_FRAME = "whole_frame", Standing.REPLACED, "its objects could not be coded apart: the whole frame was shrunk"
    ADOPTED = "adopted", Standing.REPLACED, "framekeep wrote it, as its mark says; the ledger that knew more was lost"

    WOULD_NOT_SHRINK = "would_not_shrink", Standing.FINAL, "nothing that may be written saves the configured minimum"
    ALREADY_SHRUNK = "already_shrunk", Standing.FINAL, "framekeep wrote these bytes: a picture is shrunk once"
    NO_ORIGINAL = (
        "no_original",
        Standing.FINAL,
        "a later stage starts from the original, which the vault does not hold for this path",
    )
    NO_EVIDENCE = (
        "no_evidence",
        Standing.FINAL,
        "a second generation is judged by what the ledger keeps of the original's evidence, which does not allow it",
    )
    RESTORED = "restored", Standing.FINAL, "an administrator restored the original: it is left alone"
    NO_KNOWN_LABEL = "no_known_label", Standing.FINAL, "the keeper is hrs, and nobody told what the picture shows"
    NOT_JPEG = "not_jpeg", Standing.FINAL, "not a JPEG file"
    CMYK = "cmyk", Standing.FINAL, "CMYK or YCCK colours"
    TWELVE_BIT = "twelve_bit", Standing.FINAL, "more than 8 bits a sample"
    ARITHMETIC = "arithmetic", Standing.FINAL, "arithmetic coding"
    LOSSLESS = "lossless", Standing.FINAL, "lossless or hierarchical JPEG coding"
    UNUSUAL = "unusual", Standing.FINAL, "a legal JPEG of a kind that is not understood well enough to replace"
    MULTI_PICTURE = "multi_picture", Standing.FINAL, "more than one picture in the file (MPO)"
    TRAILING_DATA = "trailing_data", Standing.FINAL, "data behind the end of the image"
    SIGNED = "signed", Standing.FINAL, "signed content (C2PA): any change breaks the signature"
    HARD_LINKED = "hard_linked", Standing.FINAL, "the file has more than one name (hard link)"
    SYMLINK = "symlink", Standing.FINAL, "a symbolic link"
    NOT_A_FILE = "not_a_file", Standing.FINAL, "not a regular file"
    TOO_LARGE = "too_large", Standing.FINAL, "larger than the configured limits"
    TRUNCATED = "truncated", Standing.FINAL, "the file ends before the image does"
    DAMAGED = "damaged", Standing.FINAL, "damaged: it decodes only with warnings, or not at all"

    TOO_SLOW = "too_slow", Standing.FINAL, "working on it took longer than the time limit"
    CRASHED = "crashed", Standing.FINAL, "working on it killed the process, also alone in a process of its own"

    HELD = "held", Standing.LATER, "under a legal hold"
    TOO_YOUNG = "too_young", Standing.LATER, "younger than the policy's minimum age"
    OUTSIDE_HOURS = "outside_hours", Standing.LATER, "met outside the policy's working hours, and not looked at"
    EXCLUDED = "excluded", Standing.LATER, "a policy excludes it: it is not read"
    UNSETTLED = "unsettled", Standing.LATER, "still changing, or changed while it was looked at"
    GONE = "gone", Standing.LATER, "vanished while it was looked at"
    BREAKER = "breaker", Standing.LATER, "the breaker is open: nothing is replaced until a person resumes it"
    NO_SPACE = "no_space", Standing.LATER, "not enough free space to write the variant beside the original"
    NO_EXCHANGE = "no_exchange", Standing.LATER, "the filesystem cannot exchange two files in one step"

    UNREADABLE = "unreadable", Standing.FAILED, "the file cannot be read"
    NOT_PERMITTED = "not_permitted", Standing.FAILED, "the file cannot be replaced with its owner, mode and attributes"
    ERROR = "error", Standing.FAILED, "an unexpected error; the log has the details"

    def __init__(self, word: str, standing: Standing, sentence: str) -> None:
        self.word = word
        self.standing = standing
        self.sentence = sentence

    @classmethod
    def of(cls, word: str) -> "Reason":
        """The reason of a stored word. Raises KeyError for a word that is none."""
        return _BY_WORD[word]


_BY_WORD = {reason.word: reason for reason in Reason}


class Kept(Exception):  # noqa: N818 - not an error: the ordinary way for a picture to stay as it is
    """This picture stays as it is, for this reason. `note` says what a person needs beyond the reason."""

    def __init__(self, reason: Reason, note: str = "") -> None:
        super().__init__(f"{reason.word}: {note or reason.sentence}")
        self.reason = reason
        self.note = note
