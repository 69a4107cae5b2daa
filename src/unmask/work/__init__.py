"""Work in other processes or machines: tasks and what does them come in, answers and failures go out.

Never here: knowing what a task is, be it video, crop or data set, or letting a lost worker end the others.
"""
