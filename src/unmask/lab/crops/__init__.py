"""Crops of faces as they are stored: shards of JPEG pictures come in, samples, batches and views go out.

Never here: altering a face so that it looks fake, guessing a label, or running a network.
"""
