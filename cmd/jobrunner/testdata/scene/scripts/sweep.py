"""Fits a fold, and says nothing more."""
import os
import time

print("fold 3 of 5: fitting", flush=True)
memory = bytearray(48 << 20)
while not os.path.exists("films/over"):
    time.sleep(0.1)
