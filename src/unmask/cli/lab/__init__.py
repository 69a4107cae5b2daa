"""The laboratory's commands, by the same rules as the scanner's beside them.

Never here: an import of `unmask.lab` before a command runs.
"""
