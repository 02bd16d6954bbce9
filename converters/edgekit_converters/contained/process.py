"""The child: `python -m edgekit_converters.contained.process`, asked on stdin.

What it is asked is a pickled function, which its parent sent: it trusts it. Answers go to what was
stdout; whatever a task or a runtime prints goes to stderr.
"""

import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from edgekit.errors import EdgekitError
from edgekit_converters.contained.events import Event, Failed, Finished, Risked, Teller
from edgekit_converters.contained.parent import PATIENCE_S, Asked
from edgekit_converters.contained.risks import Risks

INTERRUPTED = 130


def main() -> int:
    """Do what is asked; returns the exit code."""
    answers: Connection[Event, Any] = Connection(os.dup(1), readable=False)
    os.dup2(2, 1)
    requests: Connection[Any, Asked] = Connection(0, writable=False)
    asked = requests.recv()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answers.send(_done(asked, answers))
    except (KeyboardInterrupt, BrokenPipeError):
        return INTERRUPTED
    return 0


def _done(asked: Asked, answers: "Connection[Event, Any]") -> Event:
    risks = Risks(asked.refused, asked.spent_s, lambda thing: answers.send(Risked(thing)))
    try:
        return Finished(asked.work(risks, Teller(answers.send)))
    except EdgekitError as error:
        return Failed(error)
    except Exception as error:
        error.add_note(traceback.format_exc())
        return Failed(error)


def _end_with_parent() -> None:
    """The parent holds the other end of stdin; when it closes, what was begun is cleaned up."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(PATIENCE_S)
    with suppress(ProcessLookupError):
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # runtimes have crashed while the interpreter took itself apart
