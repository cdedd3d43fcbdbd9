"""OpenCV's GrabCut as a box refiner: a reference without learning."""

from __future__ import annotations

import cv2
import numpy as np

from core.geometry import Box, clip
from core.images import Picture

MARGIN = 0.5
"""Width of the border around the box that GrabCut takes as certain background, as a share of the box's side."""

ITERATIONS = 5


def grab_cut_box(picture: Picture, drawn: Box) -> Box:
    """The tight box around GrabCut's foreground inside `drawn`, in image pixels; `drawn` itself if it finds none.

    Rother et al., GrabCut, 2004. Everything outside the drawn box is background, so the box can only shrink.
    """
    height, width = picture.shape[:2]
    box = Box.of(clip([drawn], width=width, height=height)[0].round())
    wide, high = box.width * MARGIN, box.height * MARGIN
    x1, y1 = int(max(0, box.x1 - wide)), int(max(0, box.y1 - high))
    part = np.ascontiguousarray(picture[y1 : int(box.y2 + high) + 1, x1 : int(box.x2 + wide) + 1])
    rectangle = int(box.x1) - x1, int(box.y1) - y1, int(box.width), int(box.height)
    mask = np.zeros(part.shape[:2], np.uint8)
    if rectangle[2] * rectangle[3] >= mask.size:
        return drawn  # GrabCut needs background to learn from
    cv2.setRNGSeed(0)  # GrabCut's k-means starts at random
    try:
        cv2.grabCut(part, mask, rectangle, np.zeros((1, 65)), np.zeros((1, 65)), ITERATIONS, cv2.GC_INIT_WITH_RECT)
    except cv2.error:
        return drawn  # too few pixels for its color models
    rows, columns = np.nonzero((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD))
    if not len(rows):
        return drawn
    return Box(x1 + columns.min(), y1 + rows.min(), x1 + columns.max() + 1.0, y1 + rows.max() + 1.0)
