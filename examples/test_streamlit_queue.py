"""Tests of the file functions of streamlit_queue.py.

    python3 -m unittest discover -s examples
"""
import os
import sys
import tempfile
import threading
import unittest
import uuid

from streamlit_queue import add_job, load_jobs, remove_job


class QueueFile(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.queue = os.path.join(folder.name, "job_queue.txt")

    def write(self, data):
        with open(self.queue, "wb") as file:
            file.write(data)

    def read(self):
        with open(self.queue, "rb") as file:
            return file.read()

    def test_import_needs_no_streamlit(self):
        self.assertNotIn("streamlit", sys.modules)

    def test_added_line(self):
        job_id = add_job("countdown.py", 25, self.queue)
        self.assertEqual(str(uuid.UUID(job_id)), job_id)
        want = "{} countdown.py 25 PENDING\n".format(job_id)
        self.assertEqual(self.read().decode(), want)

    def test_add_appends(self):
        first = add_job("countdown.py", "1", self.queue)
        second = add_job("countdown.py", "2", self.queue)
        self.assertEqual(load_jobs(self.queue), [
            [first, "countdown.py", "1", "PENDING"],
            [second, "countdown.py", "2", "PENDING"],
        ])

    def test_adds_at_once_keep_lines_whole(self):
        def add():
            for _ in range(50):
                add_job("countdown.py", "1", self.queue)

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        jobs = load_jobs(self.queue)
        self.assertEqual(len({job[0] for job in jobs}), 200)
        self.assertEqual({tuple(job[1:]) for job in jobs}, {("countdown.py", "1", "PENDING")})

    def test_load_without_file(self):
        self.assertEqual(load_jobs(self.queue), [])

    def test_load_takes_padding_and_several_arguments(self):
        self.write(b"  a1 countdown.py 25 RUNNING  \n"
                   b"b2 train.py --lr 0.1 COMPLETED\r\n"
                   b"c3 train.py - PENDING  \n")
        self.assertEqual(load_jobs(self.queue), [
            ["a1", "countdown.py", "25", "RUNNING"],
            ["b2", "train.py", "--lr 0.1", "COMPLETED"],
            ["c3", "train.py", "-", "PENDING"],
        ])

    def test_load_names_a_short_line(self):
        for short in (b"\n", b"countdown.py 25\n"):
            self.write(b"a1 countdown.py 25 PENDING\n" + short)
            with self.assertRaisesRegex(ValueError, r"job_queue\.txt:2: not a job's line"):
                load_jobs(self.queue)

    def test_load_leaves_comments_out(self):
        self.write(b"# a note of three or more words\na1 countdown.py 25 PENDING\n")
        self.assertEqual(load_jobs(self.queue), [["a1", "countdown.py", "25", "PENDING"]])

    def test_remove_takes_that_line_alone(self):
        first = add_job("countdown.py", "1", self.queue)
        second = add_job("countdown.py", "2", self.queue)
        third = add_job("countdown.py", "3", self.queue)
        remove_job(second, self.queue)
        self.assertEqual([job[0] for job in load_jobs(self.queue)], [first, third])

    def test_remove_leaves_other_bytes_alone(self):
        self.write(b"   a1 x.py 1 PENDING  \r\nb2 x.py 2 PENDING\n\nc3 x.py a1 RUNNING  \n")
        remove_job("a1", self.queue)
        self.assertEqual(self.read(), b"b2 x.py 2 PENDING\n\nc3 x.py a1 RUNNING  \n")

    def test_remove_of_an_unknown_id_changes_nothing(self):
        add_job("countdown.py", "1", self.queue)
        before = self.read()
        remove_job(str(uuid.uuid4()), self.queue)
        self.assertEqual(self.read(), before)


if __name__ == "__main__":
    unittest.main()
