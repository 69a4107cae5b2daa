"""How good a detector is: labelled clips and models come in, figures with their uncertainty go out.

Never here: drawing a page, changing a network, or a headline figure without its interval.
"""
