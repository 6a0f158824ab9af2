from __future__ import annotations

import subprocess
import sys

ASKED = """
import sys
from helix_lab_server.iri_grammar import defer_iri_grammar

defer_iri_grammar()
from jsonschema import Draft202012Validator

checker = Draft202012Validator.FORMAT_CHECKER
print("lark" in sys.modules)
print([checker.conforms(text, "iri") for text in ("http://exämple.org/ü", "no address")])
print("lark" in sys.modules, checker.conforms("x#ü", "iri-reference"))
"""


def test_the_grammar_is_loaded_when_an_address_is_checked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKED], capture_output=True, text=True, check=True, timeout=60
    )

    assert ["False", "[True, False]", "True True"] == done.stdout.splitlines()
