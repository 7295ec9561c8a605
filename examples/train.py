#!/usr/bin/env python3
"""Stands in for a training run: a few epochs, a falling loss, no libraries.

    train.py --lr 0.1       EPOCHS (environment) says how many epochs, 3 if unset
"""
import argparse
import os
import sys
import time


def main():
    parser = argparse.ArgumentParser(description="a training run's stand-in")
    parser.add_argument("--lr", type=float, default=0.1, help="learning rate")
    args = parser.parse_args()
    text = os.environ.get("EPOCHS", "3")
    if not text.isdigit():
        parser.error("EPOCHS is %r, not a whole number" % text)

    epochs = int(text)
    loss = 1.0
    for epoch in range(1, epochs + 1):
        time.sleep(0.2)
        loss *= 1 - args.lr
        print("epoch %d/%d lr %g loss %.4f" % (epoch, epochs, args.lr, loss), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
