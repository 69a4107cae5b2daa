"""Embedders of faces: aligned crops come in, vectors go out that lie close together for one person.

Never here: who is grouped with whom, which ``faces/joining.py`` decides.
"""
