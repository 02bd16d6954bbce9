"""What must not be in a report: users of addresses, folders, and values of secret settings."""

import os
import re
from collections.abc import Mapping
from typing import Any

SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE", re.I)
USER = re.compile(r"(?<![\w.])[\w.+-]+(?::[^\s@/]*)?@(?=[\w\[])")
FOLDERS = re.compile(r"(?<![\w.:/])/(?:[^\s/'\":]+/)+(?=[^\s/'\":])")
SHORTEST = 6
"""Characters of a value that is looked for: shorter ones are words of every text."""


def without_secrets(value: Any, environment: Mapping[str, str] = os.environ) -> Any:
    """A report as built-in types, with secret values taken out of every text.

    Args:
        value: dicts, lists, texts and numbers; names of keys are ours and stay.
        environment: as for `redact`.
    """
    if isinstance(value, str):
        return _hidden(value, environment)
    if isinstance(value, dict):
        return {key: without_secrets(each, environment) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(each, environment) for each in value]
    return value


def _hidden(text: str, environment: Mapping[str, str]) -> str:
    for name, value in environment.items():
        if SECRET.search(name) and len(value) >= SHORTEST:
            text = text.replace(value, "***")
    return text


def redact(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """A text for a report: names of files stay, folders, users and secret values go.

    Args:
        text: what a runtime, a device or an error said.
        environment: whose values are secret, where their names say so.
    """
    return FOLDERS.sub("", USER.sub("", _hidden(text, environment)))
