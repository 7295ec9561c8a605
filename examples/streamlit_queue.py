"""A Streamlit page over job_queue.txt, and nothing but that file.

    pip install streamlit
    streamlit run examples/streamlit_queue.py

The page appends a line to submit a job, reads the lines to show them, and
rewrites the file without a line to remove a job. jobrunner does the rest: it
runs the jobs and keeps the state at the end of each line current.

There is no worker in here, on purpose. A worker loop such as process_jobs,
which reads the same file and runs what is PENDING, must not run beside
jobrunner: both would run the jobs. Only the functions that touch the file may
stay.

Standard library only, Python 3.8 or newer; Streamlit is imported by main().
"""
import uuid

QUEUE = "job_queue.txt"


def add_job(path, parameter, queue=QUEUE):
    """Appends a job's line in one write and returns the job's id."""
    job_id = str(uuid.uuid4())
    line = "{} {} {} PENDING\n".format(job_id, path, parameter)
    # Unbuffered: the whole line reaches the file in one write(2), so that no
    # other writer's line can come between its halves.
    with open(queue, "ab", buffering=0) as file:
        file.write(line.encode("utf-8"))
    return job_id


def load_jobs(queue=QUEUE):
    """Returns [id, path, parameter, status] for every line but comments.

    The first word of a line is the id, the last the status; several arguments
    come as one parameter. A line of fewer than four words is a ValueError:
    jobrunner never writes one, but a short request that it has not taken in
    yet may stand in the file.
    """
    try:
        with open(queue, encoding="utf-8") as file:
            lines = file.readlines()
    except FileNotFoundError:
        return []
    jobs = []
    for number, line in enumerate(lines, start=1):
        if line.lstrip().startswith("#"):
            continue
        words = line.split()
        if len(words) < 4:
            raise ValueError("{}:{}: not a job's line: {!r}".format(queue, number, line))
        jobs.append([words[0], words[1], " ".join(words[2:-1]), words[-1]])
    return jobs


def remove_job(job_id, queue=QUEUE):
    """Rewrites the file without the job's line.

    jobrunner takes that as the wish to remove the job: a PENDING one becomes
    CANCELLED. The line of a RUNNING job is put back; "cancel <id>" ends it.
    """
    # newline="": line ends are written back as they were read.
    with open(queue, "r+", encoding="utf-8", newline="") as file:
        lines = file.readlines()
        file.seek(0)
        file.truncate()
        for line in lines:
            if line.split()[:1] != [job_id]:
                file.write(line)


def main():
    import streamlit as st

    st.title("Job queue")

    with st.form("add", clear_on_submit=True):
        path = st.text_input("Script", "countdown.py")
        parameter = st.text_input("Parameter", "25")
        if st.form_submit_button("Add job"):
            if path.strip() and parameter.strip():
                st.success("Added " + add_job(path.strip(), parameter.strip()))
            else:
                st.error("Script and parameter are both needed")

    st.button("Refresh")  # any click runs the page again

    try:
        jobs = load_jobs()
    except ValueError as err:
        st.warning("{} (gone in a moment if jobrunner runs)".format(err))
        return
    st.table([dict(zip(("id", "script", "parameter", "status"), job)) for job in jobs])
    for job_id, path, parameter, status in jobs:
        label = "Remove {} {} ({})".format(path, parameter, job_id[:8])
        if status == "PENDING" and st.button(label, key=job_id):
            remove_job(job_id)
            st.rerun()


if __name__ == "__main__":
    main()
