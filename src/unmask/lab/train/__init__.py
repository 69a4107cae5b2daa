"""Training: a recipe and stored crops come in; checkpoints, logs and an exported model with its card go out.

Never here: a random draw that a run which was stopped could not repeat, or learning from held-out people.
"""
