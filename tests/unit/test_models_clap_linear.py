"""Linear layers by oneDNN against torch's own."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from transformers.models.clap.configuration_clap import ClapAudioConfig
from transformers.models.clap.modeling_clap import ClapAudioIntermediate

from listenread.models.clap.linear import OneDNNLinear, use_onednn


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3, 40), (2, 5, 40), (4, 7, 64, 40)])
def test_the_numbers_are_those_of_torch(shape, bias):
    torch.manual_seed(0)
    layer, given = nn.Linear(40, 24, bias=bias), torch.randn(shape)
    with torch.inference_mode():
        found = OneDNNLinear(layer)(given)
        torch.testing.assert_close(found, layer(given), atol=1e-5, rtol=1e-5)
        found = OneDNNLinear(layer, gelu=True)(given)
        torch.testing.assert_close(found, F.gelu(layer(given)), atol=1e-5, rtol=1e-5)


def test_under_autocast_it_computes_as_torch_does():
    layer, given = nn.Linear(40, 24), torch.randn(3, 40)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        found = OneDNNLinear(layer)(given)
        assert found.dtype == torch.bfloat16
        assert torch.equal(found, layer(given))


@pytest.mark.parametrize(("activation", "absorbed"), [("gelu", True), ("relu", False)])
def test_an_activation_is_applied_once(activation, absorbed):
    torch.manual_seed(0)
    part = ClapAudioIntermediate(ClapAudioConfig(hidden_act=activation), 16).eval()
    given = torch.randn(5, 16)
    with torch.inference_mode():
        wanted = part(given)
        assert use_onednn(part)
        assert type(part.dense) is OneDNNLinear
        assert part.dense.gelu is absorbed
        torch.testing.assert_close(part(given), wanted, atol=1e-5, rtol=1e-5)


def test_torch_without_the_operation_keeps_its_own_layers(monkeypatch):
    monkeypatch.setattr("listenread.models.clap.linear._OPERATION", "not_there")
    part = nn.Sequential(nn.Linear(3, 3))
    assert not use_onednn(part)
    assert type(part[0]) is nn.Linear
