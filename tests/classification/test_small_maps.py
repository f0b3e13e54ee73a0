import pytest
import torch
import torchvision
from torch import nn

from diffaug_pipeline.classification.small_maps import SmallMapConv2d, use_small_map_convolutions


@pytest.mark.parametrize("side", [1, 2, 5])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (3, 2, 1), (1, 2, 0), (1, 1, 0)])
def test_equal_to_the_usual_convolution_forwards_and_backwards(side, kernel, stride, padding):
    torch.manual_seed(0)
    usual = nn.Conv2d(6, 10, kernel, stride, padding, bias=False)
    ours = SmallMapConv2d(6, 10, kernel, stride, padding, bias=False)
    ours.load_state_dict(usual.state_dict())
    maps = torch.randn(4, 6, side, side)
    gradients = []
    for conv in (usual, ours):
        given = maps.clone().requires_grad_()
        result = conv(given)
        (result**2).sum().backward()
        gradients.append((result, given.grad, conv.weight.grad))
    for theirs, own in zip(*gradients, strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-4, atol=1e-4)


def test_a_resnet_keeps_its_weights_and_its_function():
    torch.manual_seed(0)
    model = torchvision.models.resnet18(num_classes=3).eval()
    pictures = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        before, state = model(pictures), {name: value.clone() for name, value in model.state_dict().items()}
        use_small_map_convolutions(model)
        torch.testing.assert_close(model(pictures), before, rtol=1e-4, atol=1e-4)
    assert state.keys() == model.state_dict().keys()
    assert sum(isinstance(module, SmallMapConv2d) for module in model.modules()) == 20
