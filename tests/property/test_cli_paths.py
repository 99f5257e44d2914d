import json
import os
from base64 import b64decode

from hypothesis import given
from hypothesis import strategies as st

from cli.paths import as_text, path_fields


@given(st.binary(min_size=1))
def test_a_path_can_be_had_back_exactly_from_its_json(name: bytes):
    fields = json.loads(json.dumps(path_fields(os.fsdecode(name))))
    exact = b64decode(fields["path_bytes"]) if "path_bytes" in fields else fields["path"].encode()
    assert exact == name


@given(st.text())
def test_a_path_in_utf8_is_told_as_it_is(name: str):
    text = name.encode("utf-8", "ignore").decode()
    assert path_fields(text) == {"path": text}


def test_bytes_that_are_no_utf8_are_shown():
    assert as_text(os.fsdecode(b"gate/n\xe4me.jpg")) == "gate/n\\xe4me.jpg"
