"""Training data: packed crops, pseudo-fakes made from real faces, and what the wild does to video."""
