"""How a script of the workflow runs: started quickly, quiet libraries, and errors as sentences."""

import contextlib
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from listenread.errors import ListenreadError, advice
from listenread.workflow import startup


@contextlib.contextmanager
def job(log: str | Path) -> Iterator[Callable[[object], None]]:
    """Run the body of a script; what is said about it goes to its log.

    Yields a function that writes a line to the log.

    A `ListenreadError` becomes the sentence that it is, an error of the system (a full disk, no
    permission, no memory) a sentence about what to do, any other exception its traceback; each ends
    the script with status 1, and the workflow shows the log of a job that failed. Warnings of
    libraries go to the log too. Where the log cannot be written, everything goes to stderr.
    """
    startup.keep_pandas_out()
    startup.collect_seldom()
    with _opened(Path(log)) as tell, warnings.catch_warnings():

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            tell(warnings.formatwarning(message, category, filename, lineno, line).rstrip("\n"))

        warnings.showwarning = show
        try:
            yield tell
        except ListenreadError as error:
            tell(error)
            raise SystemExit(1) from error
        except Exception as error:
            tell(advice(error) or traceback.format_exc().rstrip("\n"))
            raise SystemExit(1) from error


@contextlib.contextmanager
def _opened(log: Path) -> Iterator[Callable[[object], None]]:
    file: TextIO | None = None
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        file = log.open("w", encoding="utf-8")
    except OSError as error:
        print(f"the log {log} cannot be written: {error}", file=sys.stderr)

    def tell(line: object) -> None:
        try:
            if file is None:
                raise OSError
            print(line, file=file, flush=True)
        except OSError:
            print(line, file=sys.stderr)

    try:
        yield tell
    finally:
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
