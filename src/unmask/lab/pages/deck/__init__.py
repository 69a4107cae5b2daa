"""The closing deck of a challenge team: what unmask's commands wrote comes in, one HTML file goes out.

Never here: a figure that its source does not hold, a request to anywhere, or markup from a file.
"""
