"""Submissions to the DFDC challenge: a list of videos comes in, a CSV file or an offline folder goes out.

Never here: a file with a row missing, a run past its time, or anything that needs a network while it runs.
"""
