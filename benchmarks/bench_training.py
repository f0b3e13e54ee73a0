"""A ResNet-18 step on 32x32 pictures: torchvision's convolutions against ours for small maps, one thread and all."""

import os
import statistics

import torch
import torch.nn.functional as F
import torchvision
from table import in_turn, print_table, ratio

from diffaug_pipeline.classification.resnet import build_resnet

BATCH_SIZE, STEPS, ROUNDS = 64, 4, 5


def main() -> None:
    pictures, labels = torch.randn(BATCH_SIZE, 3, 32, 32), torch.randint(0, 10, (BATCH_SIZE,))
    rows = []
    for threads in sorted({1, os.cpu_count() or 1}):
        torch.set_num_threads(threads)
        models = {
            "usual": torchvision.models.resnet18(num_classes=10).to(memory_format=torch.channels_last),
            "ours": build_resnet("resnet18", None, 10),
        }
        seconds = in_turn({name: trainer(model, pictures, labels) for name, model in models.items()}, ROUNDS)
        for name, values in seconds.items():
            rows.append((f"{name}, {threads} threads", f"{1_000 * statistics.median(values) / STEPS:.0f} ms a step"))
        rows.append((f"speed-up, {threads} threads", ratio(seconds["usual"], seconds["ours"])))
    print_table(f"ResNet-18 training step, batch {BATCH_SIZE}, 32x32 px", rows)


def trainer(model: torch.nn.Module, pictures: torch.Tensor, labels: torch.Tensor):
    """A function that takes `STEPS` steps."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    pictures = pictures.contiguous(memory_format=torch.channels_last)

    def train() -> None:
        for _ in range(STEPS):
            optimizer.zero_grad()
            F.cross_entropy(model(pictures), labels).backward()
            optimizer.step()

    return train


if __name__ == "__main__":
    main()
