"""From crops to a verdict: crops and a model's card come in; logits, probabilities, words and reasons go out.

Never here: learning or torch, looking at a video, or weights whose SHA-256 is not the one on their card.
"""
