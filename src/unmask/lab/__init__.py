"""The laboratory: data sets come in; trained networks, measurements, submissions and pages about them go out.

Never here: anything that a scan needs. Only the command line and `unmask.data` import these rooms.
"""
