"""From clip to people: sampled frames come in; faces, the tracks that link them and square crops go out.

Never here: saying whether a face is real or fake, reading files of videos, or knowing who somebody is.
"""
