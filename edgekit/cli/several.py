"""A flag that may be given several times; on the command line it replaces the file's list."""

import argparse
from collections.abc import Sequence
from typing import Any


class Several(argparse._AppendAction):
    """As `append`, but the first use drops the default instead of adding to it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Take one more value."""
        if getattr(namespace, self.dest) is self.default:
            setattr(namespace, self.dest, None)
        super().__call__(parser, namespace, values, option_string)
