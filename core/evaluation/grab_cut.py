"""OpenCV's GrabCut as a box refiner: what one gets without learning, to compare with."""

from __future__ import annotations

import cv2
import numpy as np

from core.geometry import Box, clip
from core.images import Picture

MARGIN = 0.5
"""Part of each side of the box that is looked at around it, as background for certain."""

ITERATIONS = 5


def grab_cut_box(picture: Picture, drawn: Box) -> Box:
    """The tight box of what GrabCut takes for the object inside `drawn`; `drawn` itself where it finds nothing.

    Rother et al., GrabCut, 2004. It never looks outside the drawn box, so it can only make it smaller.
    """
    height, width = picture.shape[:2]
    box = Box.of(clip([drawn], width=width, height=height)[0].round())
    wide, high = box.width * MARGIN, box.height * MARGIN
    x1, y1 = int(max(0, box.x1 - wide)), int(max(0, box.y1 - high))
    part = np.ascontiguousarray(picture[y1 : int(box.y2 + high) + 1, x1 : int(box.x2 + wide) + 1])
    rectangle = int(box.x1) - x1, int(box.y1) - y1, int(box.width), int(box.height)
    mask = np.zeros(part.shape[:2], np.uint8)
    if rectangle[2] * rectangle[3] >= mask.size:
        return drawn  # no background is left to learn from
    cv2.setRNGSeed(0)  # its k-means starts at random
    try:
        cv2.grabCut(part, mask, rectangle, np.zeros((1, 65)), np.zeros((1, 65)), ITERATIONS, cv2.GC_INIT_WITH_RECT)
    except cv2.error:
        return drawn  # too few pixels for its colour models
    rows, columns = np.nonzero((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD))
    if not len(rows):
        return drawn
    return Box(x1 + columns.min(), y1 + rows.min(), x1 + columns.max() + 1.0, y1 + rows.max() + 1.0)
