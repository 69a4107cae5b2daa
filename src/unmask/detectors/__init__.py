"""Face detectors, one backend a file; `unmask.detect.DETECTORS` names them."""
