"""Pages about data sets and networks: an index, measurements and runs come in; HTML and pictures go out.

Never here: computing a figure, or a page that loads something from elsewhere.
"""
