#!/usr/bin/env python3
"""Counts down to one, a number a step, then says Done.

    countdown.py 25         one number a second
    countdown.py 25 0.1     one number each tenth of a second

SIGTERM, which is how a job is asked to end, stops it at once with a word about
how far it came and exit status 143 (128 + 15, what a shell shows).
"""
import signal
import sys
import time

USAGE = "usage: countdown.py N [SECONDS_PER_STEP]"


class Stopped(Exception):
    """SIGTERM came."""


def stop(signum, frame):
    raise Stopped


def usage_error(message):
    print("countdown.py: " + message, file=sys.stderr)
    print(USAGE, file=sys.stderr)
    return 2


def parse_step(text):
    """The seconds that text stands for, or None."""
    try:
        step = float(text)
    except ValueError:
        return None
    return step if 0 <= step <= 3600 else None  # refuses nan and inf as well


def main(argv):
    if len(argv) not in (1, 2):
        return usage_error("one number is needed, and after it at most the seconds a step takes")
    text = argv[0]
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return usage_error("%r is not a whole number from 0 to 999999" % text)
    step = parse_step(argv[1]) if len(argv) == 2 else 1.0
    if step is None:
        return usage_error("%r is not a number of seconds from 0 to 3600" % argv[1])

    left = int(text)
    try:
        signal.signal(signal.SIGTERM, stop)
        while left > 0:
            print("Countdown: %d" % left, flush=True)
            time.sleep(step)
            left -= 1
    except Stopped:
        print("stopped at %d" % left, flush=True)
        return 143
    print("Done", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
