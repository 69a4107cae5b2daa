"""Pseudo-fakes to learn from: stored crops of real faces come in, pairs of a real face and its fake go out.

Never here: real fakes with labels, anything that learns, or chance that no seed repeats.

A *pseudo-fake* is forged on purpose from a real face, so that what tells it from that face is known exactly.
"""
