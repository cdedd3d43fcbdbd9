"""The refiner's network: two stages, each of which samples the features around a box and moves its four edges.

A stage samples both feature levels on a grid over the current box and a margin, since the object may extend beyond the
box. It also reads the position of the drawn box and the image's border. For each edge it predicts a distribution over
64 positions of that grid: its mean is the edge, its spread the uncertainty (Li et al., Generalized Focal Loss, 2020;
Cai & Vasconcelos, Cascade R-CNN, 2018). The second stage starts from the answer of the first one, with a narrower
margin.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.geometry import MODEL_SIZE
from core.refiner.cpu_kernels import gather_bilinear, gather_pairs, runs_on_cpu, takes_batch_path, to_channels_last
from core.refiner.drawing_vectors import DrawingVectors

FINE_GRID = 64
COARSE_GRID = 16
BINS = 64
_PLACE_CHANNELS = 9


@dataclass(frozen=True)
class StageAnswer:
    """Output of one stage for B images x K boxes.

    boxes: (B, K, 4) refined boxes, frame pixels
    edge_logits: (B, K, 4, 64) over positions in the stage's region, for left, top, right, bottom
    region: (B, K, 4) the region, frame pixels
    confidence_logits: (B, K, 4) that an edge is within the tolerance of EdgeConfidence
    score_logits: (B, K, 2) expected IoU of the refined box and of the drawn box
    mask_logits: (B, K, 32, 32) the object's mask over the region; (B, K, 0, 0) without gradients
    """

    boxes: Tensor
    edge_logits: Tensor
    region: Tensor
    confidence_logits: Tensor
    score_logits: Tensor
    mask_logits: Tensor


class Residual(nn.Module):
    """Two 3x3 convolutions with a shortcut; `dilation` widens the field of the first one."""

    def __init__(self, channels: int, *, dilation: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, values: Tensor) -> Tensor:
        moved: Tensor = self.body(values)
        if runs_on_cpu(values):
            return moved.add_(values).relu_()  # in place: allocating memory costs more than the sum
        return torch.relu(values + moved)


class Attention(nn.Module):
    """One pre-norm transformer layer over the cells of a grid (N, C, H, W); it relates distant parts of an object."""

    def __init__(self, channels: int, *, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(channels)
        self.mix = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.norm2 = nn.LayerNorm(channels)
        self.feed = nn.Sequential(nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels))

    def forward(self, values: Tensor) -> Tensor:
        count, channels, height, width = values.shape
        cells: Tensor = values.permute(0, 2, 3, 1)
        mixed = dense(self.mix, self.norm1(cells)).view(count, -1, 3, self.heads, channels // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        found = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(cells.shape)
        cells = cells + dense(self.out, found)
        widen, bend, narrow = self.feed
        cells = cells + dense(narrow, bend(dense(widen, self.norm2(cells))))
        answer = cells.permute(0, 3, 1, 2)
        return answer if takes_batch_path(values) else answer.contiguous()


def dense(layer: nn.Module, cells: Tensor) -> Tensor:
    """Apply a linear layer to cells (N, H, W, C); without gradients on a CPU, as a convolution in half the time."""
    if not runs_on_cpu(cells) or not isinstance(layer, nn.Linear):
        moved: Tensor = layer(cells)
        return moved
    return F.conv2d(cells.permute(0, 3, 1, 2), layer.weight[:, :, None, None], layer.bias).permute(0, 2, 3, 1)


class Stage(nn.Module):
    """One stage of the network: refines each box once."""

    prior: Tensor

    def __init__(self, *, margin: float, coarse: int = 128, fine: int = 64) -> None:
        super().__init__()
        self.margin = margin
        self.register_buffer("prior", stay_prior(margin), persistent=False)
        self.enter_coarse = nn.Sequential(
            nn.Conv2d(256 + _PLACE_CHANNELS, coarse, 1, bias=False), nn.BatchNorm2d(coarse), nn.ReLU(inplace=True)
        )
        self.position = nn.Parameter(torch.zeros(1, coarse, COARSE_GRID, COARSE_GRID))
        self.drawing = DrawingVectors(coarse)
        self.coarse = nn.Sequential(Residual(coarse), Attention(coarse), Residual(coarse))
        self.enter_fine = nn.Sequential(
            nn.Conv2d(32 + _PLACE_CHANNELS, fine, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(fine),
            nn.ReLU(inplace=True),
        )
        self.join = nn.Conv2d(coarse, fine, 1)
        self.fine = nn.Sequential(Residual(fine), Residual(fine))
        self.where = nn.Conv2d(fine, 4, 1)
        self.edges = nn.ModuleList(EdgeLine(2 * fine) for _ in range(2))
        self.mask = nn.Conv2d(fine, 1, 1)
        self.judge = nn.Sequential(nn.Linear(coarse + 4 * 5, 64), nn.ReLU(inplace=True), nn.Linear(64, 6))

    def forward(
        self,
        embedding: Tensor,
        detail: Tensor,
        boxes: Tensor,
        drawn: Tensor,
        content: Tensor,
        drawing: Tensor | None = None,
    ) -> StageAnswer:
        """Refine current boxes: embedding (B, 256, 64, 64), detail (B, 32, 256, 256), boxes and drawn (B, K, 4).

        `content` (B, 4) is the image's box in the frame; the image of a crop may extend beyond the frame's border. All
        boxes are in frame pixels. `drawing` is that of `RefinerNetwork.forward`.
        """
        count, many = boxes.shape[:2]
        region, coarse, fine = self.look(embedding, detail, boxes, drawn, content, drawing)
        edge_logits = self._edge_logits(fine) + self.prior
        middle, spread = moments(edge_logits)
        judged = self.judge(torch.cat([coarse.mean(dim=(2, 3)), middle, spread, sharpness(edge_logits)], dim=1))
        edge_logits = edge_logits.view(count, many, 4, BINS)
        return StageAnswer(
            boxes=to_boxes(middle.view(count, many, 4), region),
            edge_logits=edge_logits,
            region=region,
            confidence_logits=judged[:, :4].reshape(count, many, 4),
            score_logits=judged[:, 4:].reshape(count, many, 2),
            mask_logits=self._mask_logits(fine, count, many),
        )

    def look(
        self,
        embedding: Tensor,
        detail: Tensor,
        boxes: Tensor,
        drawn: Tensor,
        content: Tensor,
        drawing: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Region (B, K, 4) around each box, and what is seen of it: (B * K, coarse, 16, 16) and (B * K, fine, 32, 32).

        The arguments are those of `forward`.
        """
        region = widen(boxes, self.margin)
        wide = sample_regions(embedding, region, COARSE_GRID)
        near = sample_regions(detail, region, FINE_GRID)
        place = position_channels(region, boxes, drawn, content, FINE_GRID)
        coarse = convolve_pair(self.enter_coarse, wide, F.avg_pool2d(place, FINE_GRID // COARSE_GRID))
        coarse = self.coarse(
            coarse + self.position if drawing is None else self.drawing(coarse + self.position, drawing)
        )
        joined = convolve_pair(self.enter_fine, near, place)
        spread_out = F.interpolate(self.join(coarse), scale_factor=2.0, mode="bilinear", align_corners=False)
        joined = joined + spread_out if torch.is_grad_enabled() else joined.add_(spread_out)
        many_asked = takes_batch_path(joined)
        if runs_on_cpu(joined):
            joined = to_channels_last(joined)  # halves the time of these convolutions
        fine = self.fine(joined)
        fine = fine if many_asked else fine.contiguous()
        return region, coarse, fine

    def _mask_logits(self, fine: Tensor, count: int, many: int) -> Tensor:
        """Return mask logits (B, K, 32, 32); empty ones without gradients, since masks are used only in training."""
        if not torch.is_grad_enabled():
            return fine.new_zeros(count, many, 0, 0)
        logits: Tensor = self.mask(fine)
        return logits.view(count, many, FINE_GRID // 2, FINE_GRID // 2)

    def _edge_logits(self, fine: Tensor) -> Tensor:
        """(N, fine, 32, 32) -> (N, 4, 64): each edge gathers features along its own direction by attention weights."""
        weight = self.where(fine)
        if takes_batch_path(fine):
            pairs = zip(self.edges, gather_pairs(fine, weight), strict=True)
            both = [line(pair).view(len(fine), 2, 2, BINS).diagonal(dim1=1, dim2=2) for line, pair in pairs]
            return torch.stack(both, dim=1).permute(0, 3, 1, 2).flatten(1, 2)
        gathered = enumerate(gather_lines(fine, weight))
        return torch.stack([self.edges[edge % 2](line)[:, edge // 2] for edge, line in gathered], dim=1)


class EdgeLine(nn.Module):
    """Gathered features of 32 cells in a line -> logits of two edges at 64 positions, once for each hypothesis."""

    def __init__(self, channels: int, *, width: int = 128, hypotheses: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(channels, width, 5, padding=2, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Conv1d(width, width, 5, padding=2, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Conv1d(width, 4 * hypotheses, 1),
        )

    def forward(self, line: Tensor) -> Tensor:
        """(N, channels, 32) -> (N, 2, 64); (N, 2 * hypotheses, 64), those of a hypothesis side by side."""
        count, _, length = line.shape
        logits: Tensor = self.body(line)
        return logits.view(count, -1, 2, length).transpose(2, 3).reshape(count, -1, 2 * length)


def gather_lines(fine: Tensor, weight: Tensor) -> list[Tensor]:
    """Gather features (N, C, 32, 32) into a line (N, 2 C, 32) for each edge, by attention `weight` (N, 4, 32, 32)."""
    across = fine.amax(dim=2), fine.amax(dim=3)
    lines = []
    for edge in range(4):
        along = 2 if edge % 2 == 0 else 3
        share = weight[:, edge : edge + 1].softmax(dim=along)
        lines.append(torch.cat([(fine * share).sum(dim=along), across[edge % 2]], dim=1))
    return lines


def convolve_pair(layers: nn.Sequential, seen: Tensor, place: Tensor) -> Tensor:
    """Apply `layers`, a convolution first, to the concatenation of `seen` (N, C, H, W) and `place` (N, 9, H, W).

    On a CPU both are convolved separately and summed, which gives the same result: this avoids the copy, and a
    convolution of 41 channels, which is slow there.
    """
    convolution, *others = layers
    if not runs_on_cpu(seen) or not isinstance(convolution, nn.Conv2d):
        together: Tensor = layers(torch.cat([seen, place], dim=1))
        return together
    weights = convolution.weight.split([seen.shape[1], place.shape[1]], dim=1)
    stride, padding = convolution.stride[0], convolution.padding[0]
    found = F.conv2d(seen, weights[0], convolution.bias, stride=stride, padding=padding)
    place = to_channels_last(place) if takes_batch_path(seen) else place
    found += F.conv2d(place, weights[1], stride=stride, padding=padding)
    for layer in others:
        found = layer(found)
    return found


class RefinerNetwork(nn.Module):
    """Two stages; the second one starts from the answer of the first one."""

    def __init__(self) -> None:
        super().__init__()
        # The first stage only has to bring the object into the region of the second one, so it has fewer channels.
        self.stages = nn.ModuleList([Stage(margin=0.7, coarse=96, fine=32), Stage(margin=0.35, coarse=96, fine=64)])

    @property
    def knows_drawings(self) -> bool:
        """Whether its answers depend on how boxes were drawn."""
        return any(bool(module.of.any()) for module in self.modules() if isinstance(module, DrawingVectors))

    def forward(
        self, embedding: Tensor, detail: Tensor, drawn: Tensor, content: Tensor, drawing: Tensor | None = None
    ) -> list[StageAnswer]:
        """Return the answers of all stages, with shapes as in `Stage.forward`; no gradients flow between stages.

        `drawing` (B,) is how the boxes of each frame were drawn: 0 for UNKNOWN, as None for all, then as in
        KNOWN_DRAWINGS.
        """
        answers: list[StageAnswer] = []
        boxes = drawn
        for stage in self.stages:
            answers.append(stage(embedding, detail, boxes, drawn, content, drawing))
            boxes = answers[-1].boxes.detach()
        return answers


def stay_prior(margin: float, *, spread: float = 0.1, scale: float = 1.0) -> Tensor:
    """Return (4, 64) log-weights that favor each edge's present position: without evidence, a box stays.

    `scale` other than 1 favors the edges of a box that is so many times as large.
    """
    at = (torch.arange(BINS) + 0.5) / BINS
    reach = scale / (2 + 4 * margin)
    near, far = 0.5 - reach, 0.5 + reach
    here = torch.tensor([near, near, far, far])[:, None]
    return -0.5 * ((at - here) / spread) ** 2


def widen(boxes: Tensor, margin: float, *, least: float = 4.0) -> Tensor:
    """Widen boxes (..., 4) by `margin` of their sides in each direction; sides count at least `least` frame pixels."""
    low, high = boxes[..., :2], boxes[..., 2:]
    center, side = (low + high) / 2, (high - low).clamp(min=least)
    reach = side * (0.5 + margin)
    return torch.cat([center - reach, center + reach], dim=-1)


def grid(region: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Return the centers of `cells` x `cells` cells of regions (B, K, 4): x and y, each (B, K, cells) frame pixels."""
    step = (torch.arange(cells, device=region.device, dtype=region.dtype) + 0.5) / cells
    x = region[..., 0:1] + (region[..., 2:3] - region[..., 0:1]) * step
    y = region[..., 1:2] + (region[..., 3:4] - region[..., 1:2]) * step
    return x, y


def sample_regions(features: Tensor, region: Tensor, cells: int) -> Tensor:
    """Sample features (B, C, H, W) bilinearly at the cells of regions (B, K, 4): (B * K, C, cells, cells)."""
    count, many = region.shape[:2]
    x, y = grid(region, cells)
    if takes_batch_path(features):
        height, width = features.shape[2:]
        return gather_bilinear(
            features, x.float() * (width / MODEL_SIZE) - 0.5, y.float() * (height / MODEL_SIZE) - 0.5
        )
    wanted = torch.stack([x[:, :, None, :].expand(-1, -1, cells, -1), y[..., None].expand(-1, -1, -1, cells)], dim=-1)
    wanted = wanted.reshape(count, many * cells, cells, 2).float() * (2.0 / MODEL_SIZE) - 1.0
    # In full precision, since coordinates in half precision are off by whole cells.
    if count == 1 and not torch.is_grad_enabled():
        # One grid for each box instead of one for all: threads split the grids, and the result needs no reordering.
        grids = wanted.view(many, cells, cells, 2)
        return F.grid_sample(features.float().expand(many, -1, -1, -1), grids, mode="bilinear", align_corners=False)
    found = F.grid_sample(features.float(), wanted, mode="bilinear", align_corners=False)
    return found.view(count, -1, many, cells, cells).transpose(1, 2).reshape(count * many, -1, cells, cells)


def position_channels(region: Tensor, boxes: Tensor, drawn: Tensor, content: Tensor, cells: int) -> Tensor:
    """Return the position of each cell of regions (B, K, 4): (B * K, 9, cells, cells).

    Channels: x and y relative to the current box and to the drawn box (-1 and 1 at its edges), whether the cell is
    inside the image in x and in y, the current box's width and height in frame pixels (log), and its shape (log).
    """
    x, y = grid(region, cells)
    axes = []
    for box in (boxes, drawn):
        center, half = (box[..., :2] + box[..., 2:]) / 2, (box[..., 2:] - box[..., :2]).clamp(min=4.0) / 2
        axes.append((x - center[..., 0:1]) / half[..., 0:1])
        axes.append((y - center[..., 1:2]) / half[..., 1:2])
    low, high = content[:, None, :2], content[:, None, 2:]
    inside_x = ((x >= low[..., 0:1]) & (x < high[..., 0:1])).to(x.dtype)
    inside_y = ((y >= low[..., 1:2]) & (y < high[..., 1:2])).to(x.dtype)
    size = (boxes[..., 2:] - boxes[..., :2]).clamp(min=4.0).log2()
    shape = size[..., 0] - size[..., 1]
    count = x.shape[0] * x.shape[1]

    def across(line: Tensor) -> Tensor:
        return line.reshape(count, 1, cells).expand(-1, cells, -1)

    def down(line: Tensor) -> Tensor:
        return line.reshape(count, cells, 1).expand(-1, -1, cells)

    def flat(value: Tensor) -> Tensor:
        return value.reshape(count, 1, 1).expand(-1, cells, cells)

    channels = [across(axes[0]), down(axes[1]), across(axes[2]).clamp(-4, 4), down(axes[3]).clamp(-4, 4)]
    channels += [across(inside_x), down(inside_y)]
    channels += [flat(size[..., 0] / 5 - 1), flat(size[..., 1] / 5 - 1), flat(shape / 3)]
    return torch.stack(channels, dim=1)


def moments(edge_logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation (..., 4) of the edges' distributions (..., 4, 64), in region sides."""
    share = edge_logits.float().softmax(dim=-1)
    at = (torch.arange(BINS, device=share.device) + 0.5) / BINS
    middle = (share * at).sum(dim=-1)
    spread = ((share * (at - middle[..., None]) ** 2).sum(dim=-1) + 1e-8).sqrt()
    return middle, spread


def sharpness(edge_logits: Tensor) -> Tensor:
    """(N, 4, 64) -> (N, 12): each edge's highest probability, the one within two bins of it, and the entropy."""
    share = edge_logits.float().softmax(dim=-1)
    near = F.max_pool1d(F.avg_pool1d(share, 5, stride=1, padding=2) * 5, BINS).squeeze(-1)
    entropy = -(share * (share + 1e-8).log()).sum(dim=-1) / 4
    return torch.cat([share.amax(dim=-1), near, entropy], dim=1)


def to_boxes(fraction: Tensor, region: Tensor) -> Tensor:
    """Convert edges as fractions (B, K, 4) of the region to boxes (B, K, 4) in frame pixels, corners in order."""
    low, side = region[..., :2].repeat(1, 1, 2), (region[..., 2:] - region[..., :2]).repeat(1, 1, 2)
    edges = low + fraction * side
    first, second = edges[..., :2], edges[..., 2:]
    return torch.cat([torch.minimum(first, second), torch.maximum(first, second)], dim=-1)
