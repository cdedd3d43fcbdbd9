"""The refiner's network: two stages, each of which looks at the features around a box and moves its four edges.

A stage samples both feature levels on a grid around the current box (a margin lets the object stick out), reads where
the drawn box and the image end, and gives for each edge a distribution over 64 positions of that grid. The edge is the
mean of the distribution, its spread is the doubt (Li et al., Generalized Focal Loss, 2020; Cai & Vasconcelos, Cascade
R-CNN, 2018). The second stage starts from the first one's answer with a narrower margin.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.geometry import MODEL_SIZE
from core.refiner.cpu_kernels import are_many, gathered_pairs, is_asked_on_cpu, laid_out, looked_up

FINE_GRID = 64
COARSE_GRID = 16
BINS = 64
_PLACE_CHANNELS = 9


@dataclass(frozen=True)
class StageAnswer:
    """What one stage says of B images x K boxes.

    boxes: (B, K, 4) refined boxes, frame pixels
    edge_logits: (B, K, 4, 64) over positions of the stage's region, left, top, right, bottom
    region: (B, K, 4) the region, frame pixels
    confidence_logits: (B, K, 4) that an edge is close enough
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
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, values: Tensor) -> Tensor:
        moved: Tensor = self.body(values)
        if is_asked_on_cpu(values):
            return moved.add_(values).relu_()  # fresh memory costs more than the sum
        return torch.relu(values + moved)


class Attention(nn.Module):
    """One pre-norm transformer layer over the cells of a grid: what belongs together may be far apart."""

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
        return answer if are_many(values) else answer.contiguous()


def dense(layer: nn.Module, cells: Tensor) -> Tensor:
    """A linear layer over cells (N, H, W, C); without gradients, a CPU takes half the time as a convolution."""
    if not is_asked_on_cpu(cells) or not isinstance(layer, nn.Linear):
        moved: Tensor = layer(cells)
        return moved
    return F.conv2d(cells.permute(0, 3, 1, 2), layer.weight[:, :, None, None], layer.bias).permute(0, 2, 3, 1)


class Stage(nn.Module):
    """One look at the features around each box."""

    prior: Tensor

    def __init__(self, *, margin: float, coarse: int = 128, fine: int = 64) -> None:
        super().__init__()
        self.margin = margin
        self.register_buffer("prior", stay_prior(margin), persistent=False)
        self.enter_coarse = nn.Sequential(
            nn.Conv2d(256 + _PLACE_CHANNELS, coarse, 1, bias=False), nn.BatchNorm2d(coarse), nn.ReLU(inplace=True)
        )
        self.position = nn.Parameter(torch.zeros(1, coarse, COARSE_GRID, COARSE_GRID))
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

    def forward(self, embedding: Tensor, detail: Tensor, boxes: Tensor, drawn: Tensor, content: Tensor) -> StageAnswer:
        """embedding (B, 256, 64, 64), detail (B, 32, 256, 256); boxes, drawn (B, K, 4), content (B, 4): frame pixels.

        `content` is where the image lies in the frame (a crop's own image may go on beyond the frame's border).
        """
        count, many = boxes.shape[:2]
        region, coarse, fine = self.look(embedding, detail, boxes, drawn, content)
        edge_logits = self._edge_logits(fine) + self.prior
        middle, spread = moments(edge_logits)
        judged = self.judge(torch.cat([coarse.mean(dim=(2, 3)), middle, spread, sharpness(edge_logits)], dim=1))
        edge_logits = edge_logits.view(count, many, 4, BINS)
        return StageAnswer(
            boxes=placed(middle.view(count, many, 4), region),
            edge_logits=edge_logits,
            region=region,
            confidence_logits=judged[:, :4].reshape(count, many, 4),
            score_logits=judged[:, 4:].reshape(count, many, 2),
            mask_logits=self._mask_logits(fine, count, many),
        )

    def look(
        self, embedding: Tensor, detail: Tensor, boxes: Tensor, drawn: Tensor, content: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Region (B, K, 4) around each box, and what is seen of it: (B * K, coarse, 16, 16) and (B * K, fine, 32, 32).

        The arguments are those of `forward`.
        """
        region = widened(boxes, self.margin)
        wide = sampled(embedding, region, COARSE_GRID)
        near = sampled(detail, region, FINE_GRID)
        place = places(region, boxes, drawn, content, FINE_GRID)
        coarse = entered(self.enter_coarse, wide, F.avg_pool2d(place, FINE_GRID // COARSE_GRID))
        coarse = self.coarse(coarse + self.position)
        joined = entered(self.enter_fine, near, place)
        spread_out = F.interpolate(self.join(coarse), scale_factor=2.0, mode="bilinear", align_corners=False)
        joined = joined + spread_out if torch.is_grad_enabled() else joined.add_(spread_out)
        many_asked = are_many(joined)
        if is_asked_on_cpu(joined):
            joined = laid_out(joined)  # these convolutions take half the time so
        fine = self.fine(joined)
        fine = fine if many_asked else fine.contiguous()
        return region, coarse, fine

    def _mask_logits(self, fine: Tensor, count: int, many: int) -> Tensor:
        """Masks only teach, so without gradients nobody waits for them."""
        if not torch.is_grad_enabled():
            return fine.new_zeros(count, many, 0, 0)
        logits: Tensor = self.mask(fine)
        return logits.view(count, many, FINE_GRID // 2, FINE_GRID // 2)

    def _edge_logits(self, fine: Tensor) -> Tensor:
        """(N, fine, 32, 32) -> (N, 4, 64): each edge gathers along its own direction where it finds itself."""
        weight = self.where(fine)
        if are_many(fine):
            pairs = zip(self.edges, gathered_pairs(fine, weight), strict=True)
            both = [line(pair).view(len(fine), 2, 2, BINS).diagonal(dim1=1, dim2=2) for line, pair in pairs]
            return torch.stack(both, dim=1).permute(0, 3, 1, 2).flatten(1, 2)
        across = fine.amax(dim=2), fine.amax(dim=3)
        lines = []
        for edge in range(4):
            along = 2 if edge % 2 == 0 else 3
            share = weight[:, edge : edge + 1].softmax(dim=along)
            gathered = torch.cat([(fine * share).sum(dim=along), across[edge % 2]], dim=1)
            lines.append(self.edges[edge % 2](gathered)[:, edge // 2])
        return torch.stack(lines, dim=1)


class EdgeLine(nn.Module):
    """A line of 32 gathered cells -> logits of its two edges at 64 positions, once for each hypothesis."""

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


def entered(layers: nn.Sequential, seen: Tensor, place: Tensor) -> Tensor:
    """A convolution and what follows it, over `seen` (N, C, H, W) and `place` (N, 9, H, W) side by side.

    Asked on a CPU they are convolved one by one and added up: the same sum, but nothing is copied together, and 41
    channels at once are slow there.
    """
    convolution, *others = layers
    if not is_asked_on_cpu(seen) or not isinstance(convolution, nn.Conv2d):
        together: Tensor = layers(torch.cat([seen, place], dim=1))
        return together
    weights = convolution.weight.split([seen.shape[1], place.shape[1]], dim=1)
    stride, padding = convolution.stride[0], convolution.padding[0]
    found = F.conv2d(seen, weights[0], convolution.bias, stride=stride, padding=padding)
    place = laid_out(place) if are_many(seen) else place
    found += F.conv2d(place, weights[1], stride=stride, padding=padding)
    for layer in others:
        found = layer(found)
    return found


class RefinerNetwork(nn.Module):
    """Two stages, the second from the first one's answer."""

    def __init__(self) -> None:
        super().__init__()
        # The first stage only has to bring the object into the second one's sight, so it is narrower.
        self.stages = nn.ModuleList([Stage(margin=0.7, coarse=96, fine=32), Stage(margin=0.35, coarse=96, fine=64)])

    def forward(self, embedding: Tensor, detail: Tensor, drawn: Tensor, content: Tensor) -> list[StageAnswer]:
        """All stages' answers; shapes as in `Stage.forward`. No gradient runs from a stage's start to the last one."""
        answers: list[StageAnswer] = []
        boxes = drawn
        for stage in self.stages:
            answers.append(stage(embedding, detail, boxes, drawn, content))
            boxes = answers[-1].boxes.detach()
        return answers


def stay_prior(margin: float, *, spread: float = 0.1, scale: float = 1.0) -> Tensor:
    """(4, 64) log-weights that favour each edge's present place in the region: without evidence a box stays.

    With another `scale` they favour the edges of a box of so many times its sides.
    """
    at = (torch.arange(BINS) + 0.5) / BINS
    reach = scale / (2 + 4 * margin)
    near, far = 0.5 - reach, 0.5 + reach
    here = torch.tensor([near, near, far, far])[:, None]
    return -0.5 * ((at - here) / spread) ** 2


def widened(boxes: Tensor, margin: float, *, least: float = 4.0) -> Tensor:
    """Boxes (..., 4) widened by `margin` of their sides each way; sides below `least` frame pixels count as `least`."""
    low, high = boxes[..., :2], boxes[..., 2:]
    centre, side = (low + high) / 2, (high - low).clamp(min=least)
    reach = side * (0.5 + margin)
    return torch.cat([centre - reach, centre + reach], dim=-1)


def grid(region: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Centres of `cells` x `cells` cells of regions (B, K, 4): x and y as (B, K, cells), frame pixels."""
    step = (torch.arange(cells, device=region.device, dtype=region.dtype) + 0.5) / cells
    x = region[..., 0:1] + (region[..., 2:3] - region[..., 0:1]) * step
    y = region[..., 1:2] + (region[..., 3:4] - region[..., 1:2]) * step
    return x, y


def sampled(features: Tensor, region: Tensor, cells: int) -> Tensor:
    """Features (B, C, H, W) bilinearly at the cells of regions (B, K, 4): (B * K, C, cells, cells)."""
    count, many = region.shape[:2]
    x, y = grid(region, cells)
    if are_many(features):
        height, width = features.shape[2:]
        return looked_up(features, x.float() * (width / MODEL_SIZE) - 0.5, y.float() * (height / MODEL_SIZE) - 0.5)
    wanted = torch.stack([x[:, :, None, :].expand(-1, -1, cells, -1), y[..., None].expand(-1, -1, -1, cells)], dim=-1)
    wanted = wanted.reshape(count, many * cells, cells, 2).float() * (2.0 / MODEL_SIZE) - 1.0
    # In full precision: a coordinate in half precision would be off by whole cells.
    if count == 1 and not torch.is_grad_enabled():
        # One look for each box instead of one for all: threads share looks out, and nothing is left to reorder.
        looks = wanted.view(many, cells, cells, 2)
        return F.grid_sample(features.float().expand(many, -1, -1, -1), looks, mode="bilinear", align_corners=False)
    found = F.grid_sample(features.float(), wanted, mode="bilinear", align_corners=False)
    return found.view(count, -1, many, cells, cells).transpose(1, 2).reshape(count * many, -1, cells, cells)


def places(region: Tensor, boxes: Tensor, drawn: Tensor, content: Tensor, cells: int) -> Tensor:
    """Where each cell lies: (B * K, 9, cells, cells).

    Channels: x and y relative to the current box and to the drawn box (-1 and 1 at its edges), whether the cell is
    inside the image in x and in y, the current box's width and height in frame pixels (log), and its shape (log).
    """
    x, y = grid(region, cells)
    axes = []
    for box in (boxes, drawn):
        centre, half = (box[..., :2] + box[..., 2:]) / 2, (box[..., 2:] - box[..., :2]).clamp(min=4.0) / 2
        axes.append((x - centre[..., 0:1]) / half[..., 0:1])
        axes.append((y - centre[..., 1:2]) / half[..., 1:2])
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
    """Mean and spread (..., 4) of the edges' distributions (..., 4, 64), in units of the region's side."""
    share = edge_logits.float().softmax(dim=-1)
    at = (torch.arange(BINS, device=share.device) + 0.5) / BINS
    middle = (share * at).sum(dim=-1)
    spread = ((share * (at - middle[..., None]) ** 2).sum(dim=-1) + 1e-8).sqrt()
    return middle, spread


def sharpness(edge_logits: Tensor) -> Tensor:
    """(N, 4, 64) -> (N, 12): each edge's highest share, the share within two bins of it, and the entropy."""
    share = edge_logits.float().softmax(dim=-1)
    near = F.max_pool1d(F.avg_pool1d(share, 5, stride=1, padding=2) * 5, BINS).squeeze(-1)
    entropy = -(share * (share + 1e-8).log()).sum(dim=-1) / 4
    return torch.cat([share.amax(dim=-1), near, entropy], dim=1)


def placed(fraction: Tensor, region: Tensor) -> Tensor:
    """Edges as fractions (B, K, 4) of the region -> boxes (B, K, 4) in frame pixels, never inside out."""
    low, side = region[..., :2].repeat(1, 1, 2), (region[..., 2:] - region[..., :2]).repeat(1, 1, 2)
    edges = low + fraction * side
    first, second = edges[..., :2], edges[..., 2:]
    return torch.cat([torch.minimum(first, second), torch.maximum(first, second)], dim=-1)
