"""Looks like a training: tqdm's bar, an epoch at a time.

It comes to the same place at once and stays there, so that a picture of it is
always the same, until there is a file films/over.
"""
import os
import sys
import time

rate = sys.argv[sys.argv.index("--lr") + 1]
memory = bytearray(96 << 20)


def bar(epoch, step, elapsed, left):
    drawn = ("█" * (step // 100)).ljust(10)
    sys.stderr.write(f"\repoch {epoch}/10: {step // 10:3d}%|{drawn}| {step}/1000 [{elapsed}<{left}, 1.88s/it]")
    sys.stderr.flush()


if rate == "0.1":
    for step in range(0, 620, 40):
        bar(7, step, "19:25", "11:55")
    print("\nTraceback (most recent call last):\n"
          '  File "scripts/train.py", line 48, in <module>\n'
          "    loss.backward()", file=sys.stderr)
    print("RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB", file=sys.stderr)
    sys.exit(1)

while not os.path.exists("films/over"):
    bar(6, 800, "25:04", "06:16")
    until = time.time() + 0.15
    while time.time() < until:  # some work, to be seen in the usage
        pass
    time.sleep(0.35)
