"""The network over the frames of a person."""

import numpy as np
import onnxruntime
import pytest
import torch

from unmask.errors import ModelError
from unmask.lab.models.clip_net import HEADS, ClipNet
from unmask.lab.models.export import export_onnx

CLIPS = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 4, 3, 64, 64), np.uint8))


def make_net(head):
    """A net whose head has something to say, as after training."""
    torch.manual_seed(0)
    net = ClipNet("tiny", head=head, hidden=32, pretrained=False).eval()
    torch.nn.init.normal_(net.head.out.weight)
    return net


@pytest.mark.parametrize("head", HEADS)
def test_an_untrained_clip_net_judges_as_its_frame_net(head):
    net = ClipNet("tiny", head=head, hidden=32, pretrained=False).eval()
    with torch.inference_mode():
        output, alone = net(CLIPS), net.frame_net(CLIPS.flatten(0, 1))
    torch.testing.assert_close(output.frame_logits.flatten(), alone.logit)
    torch.testing.assert_close(output.mask_logit.flatten(0, 1), alone.mask_logit)
    torch.testing.assert_close(output.logit, alone.logit.reshape(2, 4).mean(1))


@pytest.mark.parametrize("head", HEADS)
def test_the_order_of_frames_counts_and_the_other_clips_do_not(head):
    net = make_net(head)
    with torch.inference_mode():
        both, alone = net(CLIPS).frame_logits, net(CLIPS[:1]).frame_logits
        shuffled = net(CLIPS[:, [2, 0, 3, 1]]).frame_logits
    torch.testing.assert_close(both[:1], alone)
    assert (both.mean(1) - shuffled.mean(1)).abs().max() > 1e-4


@pytest.mark.parametrize("head", HEADS)
def test_export_takes_any_number_of_clips_and_frames(head, tmp_path):
    net = make_net(head)
    assert export_onnx(net, tmp_path / "n.onnx", size_px=64) < 1e-3
    session = onnxruntime.InferenceSession(tmp_path / "n.onnx")
    for clips, frames in ((1, 1), (2, 3), (1, 4)):
        (found,) = session.run(None, {"crops": CLIPS[:clips, :frames].numpy()})
        with torch.inference_mode():
            expected = net(CLIPS[:clips, :frames]).frame_logits.numpy()
        np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("head", HEADS)
def test_every_weight_learns(head):
    net = make_net(head).train()
    output = net(CLIPS)
    (output.logit.sum() + output.mask_logit.sum()).backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


def test_an_unknown_head_is_named():
    with pytest.raises(ModelError, match="unknown clip head 'lstm'; choose from: gru, transformer"):
        ClipNet("tiny", head="lstm", pretrained=False)
