"""Faces in a clip: the key points that say where one is and how it is turned."""
