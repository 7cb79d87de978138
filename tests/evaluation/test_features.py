"""Extractors that need no training here: seeded, of a known size, and faithful to what they wrap."""

import json
import sys

import pytest
import torch
from torch.nn.functional import avg_pool2d

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.evaluation.features import pixels, pretrained, random_convolutions
from plausible.evaluation.metrics.distances import frechet


def test_pixels_are_themselves():
    x = torch.rand(3, 2, 4, 5)
    assert torch.equal(pixels()(x), x.reshape(3, 40))


@pytest.mark.parametrize(
    ("shape", "d"),
    [
        ((1, 4, 4), 128),
        ((1, 8, 8), 256),
        ((3, 28, 28), 256),
        ((4, 5, 40), 256),
        ((2, 4, 70), 128),
        ((3, 150, 90), 256),
        ((1, 3, 9), 27),
        ((7,), 7),
    ],
)
def test_random_convolutions_take_any_shape(shape, d):
    extract = random_convolutions(Space(shape))
    x = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0))
    features = extract(x)
    assert features.shape == (3, d)
    assert features.isfinite().all()
    assert torch.allclose(extract(x[1:2])[0], features[1], atol=1e-5)
    assert extract(torch.ones(2, *shape)).isfinite().all()


def test_random_convolutions_are_those_of_their_seed_and_leave_the_global_state_alone():
    x, space = torch.rand(130, 1, 12, 12), Space((1, 12, 12))
    before = torch.get_rng_state()
    features = random_convolutions(space)(x)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(random_convolutions(space)(x), features)
    assert not torch.allclose(random_convolutions(space, seed=1)(x), features)
    assert not features.requires_grad
    assert random_convolutions(space, width=16)(x).shape == (130, 64)
    assert 0.1 < features.square().mean() < 10  # He's weights keep the size of activations


def test_random_convolutions_tell_blurred_images_from_sharp_ones():
    x = torch.rand(600, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    extract = random_convolutions(Space((1, 12, 12)), width=8)
    real, again, blurred = extract(x[:300]), extract(x[300:]), extract(avg_pool2d(x[300:], 3, 1, 1))
    assert frechet(real, blurred) > 5 * frechet(real, again)


def test_without_the_extra_there_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UsageError, match=r"pip install 'plausible\[pretrained\]'"):
        pretrained("any")


@pytest.mark.slow  # transformers take a second to import
def test_without_a_model_there_is_one_sentence(tmp_path):
    pytest.importorskip("transformers")
    for folder in (tmp_path, tmp_path / "nowhere" / "at" / "all"):
        with pytest.raises(UsageError, match="no pretrained model at"):
            pretrained(str(folder))


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    """A small vision transformer with random weights: the network and its folder."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        image_size=32,
        patch_size=8,
    )
    network = transformers.ViTModel(config).eval()
    folder = tmp_path_factory.mktemp("vit")
    network.save_pretrained(folder)
    return network, folder


IMAGENET = [
    torch.tensor(v).reshape(3, 1, 1) for v in [(0.485, 0.456, 0.406), (0.229, 0.224, 0.225)]
]


@pytest.mark.slow
@torch.no_grad()
def test_a_pretrained_extractor_is_the_network_called_directly(vit):
    network, folder = vit
    x, (mean, std) = torch.rand(130, 3, 32, 32), IMAGENET
    before = torch.get_rng_state()
    extract = pretrained(str(folder))
    assert torch.equal(torch.get_rng_state(), before)
    truth = network((x - mean) / std).pooler_output
    assert torch.allclose(extract(x), truth, atol=1e-5)


@pytest.mark.slow
@torch.no_grad()
def test_grey_and_transparent_images_become_colours_and_every_size_is_resized(vit):
    extract = pretrained(str(vit[1]))
    grey = torch.rand(2, 1, 32, 32)
    assert torch.allclose(extract(grey), extract(grey.expand(-1, 3, -1, -1)), atol=1e-6)
    colour = torch.rand(2, 3, 32, 32)
    opaque = torch.cat([colour, torch.ones(2, 1, 32, 32)], 1)
    assert torch.allclose(extract(opaque), extract(colour), atol=1e-5)
    clear = torch.cat([colour, torch.zeros(2, 1, 32, 32)], 1)
    assert torch.allclose(extract(clear), extract(torch.ones(2, 1, 32, 32)), atol=1e-5)
    flat = torch.full((2, 3, 9, 50), 0.25)
    assert torch.allclose(extract(flat), extract(torch.full((2, 3, 32, 32), 0.25)), atol=1e-5)
    with pytest.raises(UsageError, match="reads 3 channels, and these images have 2"):
        extract(torch.rand(2, 2, 32, 32))
    with pytest.raises(UsageError, match="vectors"):
        extract(torch.rand(2, 5))


@pytest.mark.slow
@torch.no_grad()
def test_the_preprocessor_of_the_folder_is_obeyed(vit, tmp_path):
    network, _ = vit
    network.save_pretrained(tmp_path)
    said = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    x = torch.rand(2, 3, 32, 32)
    truth = network(2 * x - 1).pooler_output
    assert torch.allclose(pretrained(str(tmp_path))(x), truth, atol=1e-5)


@pytest.mark.slow
@torch.no_grad()
def test_a_pooler_that_was_never_trained_is_not_asked(vit, tmp_path):
    """A classifier's file has no pooler, and transformers would draw one at random each time."""
    import transformers

    classifier = transformers.ViTForImageClassification(vit[0].config).eval()
    classifier.save_pretrained(tmp_path)
    x, (mean, std) = torch.rand(2, 3, 32, 32), IMAGENET
    truth = classifier.vit((x - mean) / std).last_hidden_state[:, 0]
    assert torch.allclose(pretrained(str(tmp_path))(x), truth, atol=1e-5)


@pytest.mark.slow
@torch.no_grad()
def test_of_a_model_of_images_and_texts_the_eye_is_taken(tmp_path):
    transformers = pytest.importorskip("transformers")
    small = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
    }
    config = transformers.CLIPConfig(
        text_config=small, vision_config={**small, "image_size": 16, "patch_size": 8}
    )
    network = transformers.CLIPModel(config).eval()
    network.save_pretrained(tmp_path)
    x, (mean, std) = torch.rand(2, 3, 16, 16), IMAGENET
    truth = network.vision_model((x - mean) / std).pooler_output
    assert torch.allclose(pretrained(str(tmp_path))(x), truth, atol=1e-5)


@pytest.mark.slow
@torch.no_grad()
def test_a_convolutional_network_is_pooled_over_positions(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.ResNetConfig(
        num_channels=1, embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1]
    )
    network = transformers.ResNetModel(config).eval()
    network.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(
        json.dumps({"do_normalize": False, "size": {"shortest_edge": 24}})
    )
    x = torch.rand(2, 1, 24, 24)
    features = pretrained(str(tmp_path))(x)
    assert torch.allclose(features, network(x).last_hidden_state.mean((2, 3)), atol=1e-5)


@pytest.mark.slow
def test_a_model_of_text_is_refused(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="does not read images but input_ids"):
        pretrained(str(tmp_path))
