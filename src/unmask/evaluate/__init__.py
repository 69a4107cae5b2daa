"""How good a detector is, with the uncertainty of saying so."""
