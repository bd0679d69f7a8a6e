"""Claims that are checked one after the other, each told with its outcome."""

import sys
import time
import traceback


class Claims:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, claim, body, *arguments):
        """Runs one claim; its result, or None when it does not hold. Others are checked all the same."""
        started = time.monotonic()
        try:
            result = body(*arguments)
        except Exception as error:
            self.failed += 1
            print(f"FAILED  {claim}: {error}", flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exc(limit=-3)
            return None
        self.passed += 1
        print(f"ok      {claim} ({time.monotonic() - started:.1f} s)", flush=True)
        return result

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)


def until(what, seconds, look, every=0.2):
    """Waits for something with a bound; what `look` returned once it is true."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(every)
