"""The functions with which a page kept job_queue.txt before there was a daemon,
used by four processes at once. Process 0 also removes jobs that wait."""
import os
import sys
import time
import uuid

QUEUE = "job_queue.txt"


def add(path, parameter):
    job_id = str(uuid.uuid4())
    with open(QUEUE, "a") as file:
        file.write(f"{job_id} {path} {parameter} PENDING\n")
    return job_id


def load():
    jobs = []
    with open(QUEUE, "r") as file:
        for line in file:
            parts = line.split()
            jobs.append([parts[0], parts[1], parts[2], parts[3]])
    return jobs


def remove(job_id):
    with open(QUEUE, "r+") as file:
        lines = file.readlines()
        file.seek(0)
        file.truncate()
        for line in lines:
            if line.split()[0] != job_id:
                file.write(line)


def main(number):
    waiting = [add("last", "removed") for _ in range(3)] if number == 0 else []
    for i in range(25):
        add("trace.sh", number * 25 + i)
        load()
    open(f"added.{number}", "w").close()
    while not all(os.path.exists(f"added.{n}") for n in range(4)):
        load()
        time.sleep(0.01)
    if number == 0:
        # What a tool removes must have been there for it to see.
        until = time.monotonic() + 6
        while time.monotonic() < until:
            load()
            time.sleep(0.01)
        for job_id in waiting:
            remove(job_id)
            time.sleep(0.2)
        with open("removed.part", "w") as file:
            file.write("".join(job_id + "\n" for job_id in waiting))
        os.rename("removed.part", "removed")
    while not os.path.exists("removed"):
        load()
        time.sleep(0.01)


main(int(sys.argv[1]))
