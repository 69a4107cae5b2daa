"""Submissions for the DeepFake Detection Challenge: complete, in time, and offline."""
