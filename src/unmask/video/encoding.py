"""How H.264 is written where the same pictures must give the same file."""

REPEATABLE = "asm=AVX2"
"""``x264-params``: with AVX-512 x264's macroblock tree reads memory that nobody wrote, and its bits vary."""
