"""One detector of faces a file, named in `unmask.faces.detect.DETECTORS`: pictures come in, faces go out.

Never here: what is true of every detector, such as when to search, or weights that their card does not name.
"""
