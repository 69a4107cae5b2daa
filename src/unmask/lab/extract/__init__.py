"""Face crops from data sets of any size: an index and settings come in, shards of stored crops go out.

Never here: work that a run which was killed does twice, or a crop that depends on how many workers there are.

``plan`` lists the videos and their order, ``worker`` does one video, ``store`` keeps what is done so that a
run can be killed at any moment, and ``run`` joins them. What they share with scans of whole archives is in
`unmask.archive`.
"""
