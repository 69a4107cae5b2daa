"""Pages and pictures for people: figures, clips and tracks come in; HTML, images and videos go out.

Never here: computing a figure, or a page that loads something from elsewhere.
"""
