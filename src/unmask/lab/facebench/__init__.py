"""A bench for finding faces: pictures and settings come in, clips with known faces and counts go out.

Never here: whether a face is fake, or tuning on the half of the faces that figures are reported on.
"""
