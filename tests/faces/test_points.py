import numpy as np

from unmask.faces.points import CANONICAL_POINTS, fit_affine, move_points

POINTS = (CANONICAL_POINTS * 20 + [64, 50]).astype(np.float32)


def test_an_affine_map_is_found_again():
    move = np.array([[1.2, -0.3, 5], [0.4, 0.9, -7]], np.float32)
    np.testing.assert_allclose(fit_affine(POINTS, move_points(POINTS, move)), move, atol=1e-3)
