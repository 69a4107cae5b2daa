"""Face crops from data sets of any size: a plan, workers, and a folder that knows what is done.

``plan`` lists the videos and their order, ``worker`` does one video, ``store`` keeps what is done so that a
run can be killed at any moment, ``run`` joins them, and ``crews`` names the engines that workers live in.
"""
