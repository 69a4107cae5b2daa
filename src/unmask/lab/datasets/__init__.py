"""Data sets of videos: folders, archives and buckets come in; an index, its audit and its splits go out.

Never here: changing a data set, or importing pandas where ``unmask --help`` gets to. Public as `unmask.data`.
"""
