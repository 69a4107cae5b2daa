"""Which files of a folder are taken; one that is named itself may be called anything."""

VIDEO_SUFFIXES = (
    ".3g2", ".3gp", ".asf", ".avi", ".flv", ".gif", ".ivf", ".m2ts", ".m4v", ".mkv", ".mov",
    ".mp4", ".mpeg", ".mpg", ".mts", ".ogg", ".ogv", ".ts", ".vob", ".webm", ".wmv",
)  # fmt: skip
IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")
SUFFIXES = VIDEO_SUFFIXES + IMAGE_SUFFIXES
