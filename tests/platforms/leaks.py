"""Where a secret shows, in the forms in which it could. It reads and prints nothing."""

import base64
import json
import urllib.parse
from xml.sax.saxutils import escape


def forms(secret: str) -> dict[str, str]:
    """What must not be seen of a secret, by the name of the form.

    Lines under four bytes are left out: they would be found everywhere.
    """
    found = {"the value": secret}
    for number, line in enumerate(secret.splitlines(), 1):
        found[f"line {number}"] = line
    found["JSON"] = json.dumps(secret)[1:-1]
    found["URL"] = urllib.parse.quote(secret, safe="")
    found["XML"] = escape(secret)
    for offset in range(3):
        # Inside a longer text, base64 has three alignments. The first and the last characters depend on the neighbours.
        encoded = base64.b64encode(b"\0" * offset + secret.encode()).decode().rstrip("=")
        found[f"base64 at {offset}"] = encoded[4 if offset else 0 : -1]
    return {name: form for name, form in found.items() if len(form.encode()) >= 4}


def leaks(secret: str, text: str) -> list[str]:
    """The names of the forms that are in the text."""
    return [name for name, form in forms(secret).items() if form in text]
