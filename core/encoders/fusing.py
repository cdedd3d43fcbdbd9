"""Fuse batch normalizations into the convolutions before them, for speed."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

AnyModule = TypeVar("AnyModule", bound=nn.Module)
Convolution = nn.Conv1d | nn.Conv2d


def fuse_batch_norms(network: AnyModule) -> AnyModule:
    """Fuse each batch normalization of a sequence into the convolution before it, in place; return the network.

    `network` is in evaluation mode and cannot be trained afterwards. What it computes changes by rounding only.
    """
    for module in list(network.modules()):
        if isinstance(module, nn.Sequential):
            fuse_neighbours(module)
    return network


def fuse_neighbours(module: nn.Module) -> None:
    """Fuse the normalizations among the children of one module whose children run in the order of their definition."""
    children = list(module.named_children())
    for (first_name, first), (second_name, second) in zip(children, children[1:], strict=False):
        if isinstance(first, Convolution) and isinstance(second, nn.BatchNorm1d | nn.BatchNorm2d):
            setattr(module, first_name, fuse_conv_bn_eval(first, second))
            setattr(module, second_name, torch.nn.Identity())
