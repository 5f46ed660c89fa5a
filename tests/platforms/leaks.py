"""Finds a secret in text, in every encoding in which it could appear. Reads no files and prints nothing."""

import base64
import json
import urllib.parse
from xml.sax.saxutils import escape


def forms(secret: str) -> dict[str, str]:
    """Encodings of a secret that must not be visible, by name.

    Lines under four bytes are omitted, because they occur in any text.
    """
    found = {"the value": secret}
    for number, line in enumerate(secret.splitlines(), 1):
        found[f"line {number}"] = line
    found["JSON"] = json.dumps(secret)[1:-1]
    found["URL"] = urllib.parse.quote(secret, safe="")
    found["XML"] = escape(secret)
    for offset in range(3):
        # Inside a longer text, base64 has three alignments. The first and last characters depend on the adjacent bytes.
        encoded = base64.b64encode(b"\0" * offset + secret.encode()).decode().rstrip("=")
        found[f"base64 at {offset}"] = encoded[4 if offset else 0 : -1]
    return {name: form for name, form in found.items() if len(form.encode()) >= 4}


def leaks(secret: str, text: str) -> list[str]:
    """Names of the encodings that occur in the text."""
    return [name for name, form in forms(secret).items() if form in text]
