"""Published detectors: an entry and its files come in; ONNX weights with a card in the user's cache go out.

Never here: weights in the repository, code that a downloaded file brings, or a figure without its source.
"""
