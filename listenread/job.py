"""How a script of the workflow runs: quiet libraries, and errors as sentences."""

import contextlib
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from listenread.errors import ListenreadError


@contextlib.contextmanager
def job(log: str | Path) -> Iterator[Callable[[object], None]]:
    """Run the body of a script; what is said about it goes to its log.

    Yields a function that writes a line to the log.

    A `ListenreadError` becomes the sentence that it is, any other exception its traceback, and
    either ends the script with status 1; the workflow shows the log of a job that failed. Warnings
    of libraries go to the log too.
    """
    log = Path(log)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file, warnings.catch_warnings():

        def show(message, category, filename, lineno, _file=None, line=None) -> None:  # type: ignore[no-untyped-def]
            file.write(warnings.formatwarning(message, category, filename, lineno, line))

        warnings.showwarning = show
        try:
            yield lambda line: print(line, file=file)
        except ListenreadError as error:
            print(error, file=file)
            raise SystemExit(1) from error
        except Exception as error:
            traceback.print_exc(file=file)
            raise SystemExit(1) from error
