"""Convolution on feature maps of one or two pixels, where CPU libraries spend most of a ResNet's time on small input.

At 32x32 input the last stages of a ResNet see 2x2 and 1x1 maps. A 3x3 kernel there mostly multiplies padding, and the
backward pass of oneDNN is slow; as a matrix product the same function takes half the time of the whole network
(`benchmarks/bench_training.py`).
"""

import torch
import torch.nn.functional as F
from torch import nn

LARGEST_MAP_PX = 2


class SmallMapConv2d(nn.Conv2d):
    """`nn.Conv2d` without bias or groups, equal up to rounding; maps above `LARGEST_MAP_PX` take the usual path."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, D, H', W')."""
        if max(maps.shape[2:]) > LARGEST_MAP_PX:
            return super().forward(maps)
        if maps.shape[2:] == (1, 1) and self.kernel_size == (3, 3) and self.padding == (1, 1):
            return F.linear(maps.flatten(1), self.weight[:, :, 1, 1])[:, :, None, None]
        height, width = (
            (side + 2 * pad - kernel) // stride + 1
            for side, pad, kernel, stride in zip(
                maps.shape[2:], self.padding, self.kernel_size, self.stride, strict=True
            )
        )
        patches = F.unfold(maps, self.kernel_size, padding=self.padding, stride=self.stride)  # (N, C*K*K, H'*W')
        rows = patches.transpose(1, 2).reshape(-1, patches.shape[1])
        products = F.linear(rows, self.weight.reshape(self.out_channels, -1))
        return products.view(len(maps), height, width, -1).permute(0, 3, 1, 2)


def use_small_map_convolutions(model: nn.Module) -> None:
    """Replaces every convolution below `model` that `SmallMapConv2d` can stand for; weights keep their values.

    They lie in memory as a matrix, so that neither the products nor the fused optimiser copies them.
    """
    for name, child in model.named_children():
        if type(child) is nn.Conv2d and child.bias is None and child.groups == 1 and child.dilation == (1, 1):
            conv = SmallMapConv2d(
                child.in_channels,
                child.out_channels,
                child.kernel_size,
                child.stride,
                child.padding,
                bias=False,
                device="meta",
            )
            conv.weight = nn.Parameter(child.weight.detach().contiguous())
            setattr(model, name, conv)
        else:
            use_small_map_convolutions(child)
