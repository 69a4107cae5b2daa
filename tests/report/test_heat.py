import numpy as np

from unmask.judge.heat import HeatMap
from unmask.report.heat import draw_heat

PLACES = ((0, 0, 32, 32), (64, 32, 96, 64), (96, 96, 128, 128))


def found(fall):
    heat = np.zeros((128, 128), np.float32)
    heat[32:64, 64:96] = fall
    return HeatMap(1.0, PLACES, np.array([0.0, fall, 0.0], np.float32), heat)


def test_what_drove_the_score_is_coloured_and_outlined():
    crop = np.full((128, 128, 3), 60, np.uint8)
    drawn = draw_heat(crop, found(2.0))
    assert drawn.shape == crop.shape and drawn.dtype == np.uint8
    assert (drawn[100:, :32] == 60).all()
    assert np.ptp(drawn[44:52, 76:84].astype(int), axis=2).min() > 30  # a colour
    assert (drawn[33, 70:90] == 255).all()  # the line


def test_without_any_fall_all_but_the_outline_stays_grey():
    drawn = draw_heat(np.full((128, 128, 3), 90, np.uint8), found(0.0))
    outside = np.ones((128, 128), bool)
    outside[:36, :36] = False  # the first place counts as the marked one where all are alike
    assert (drawn[outside] == 90).all()
