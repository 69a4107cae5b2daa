"""Many files at any size: where they lie, who works on them, and what is kept so that a killed run goes on.

Never here: what is done to a file, be it judging or cutting out faces.

``sources`` lists and opens files in folders, zips and object stores, ``engines`` names the places that
workers live in.
"""
