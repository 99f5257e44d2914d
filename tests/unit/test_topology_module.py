"""The parallel topology over timm's networks: what it equals before training, and what training it costs."""

from collections.abc import Iterator

import pytest
import timm
import torch

from framekeep.errors import UsageError
from study.topology.blocks import blocks_of
from study.topology.figures import TABLE_3, TABLE_4
from study.topology.module import Topology, build_topology, parameter_count

INPUTS = 3


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def network(name: str = "test_resnet") -> torch.nn.Module:
    module: torch.nn.Module = timm.create_model(name).eval()
    return module


def outline(name: str) -> torch.nn.Module:
    """Of a large network: names and shapes without numbers, which take long to draw."""
    with torch.device("meta"):
        return network(name)


def pixels(pictures: int, size: int = 64) -> torch.Tensor:
    return torch.randn(pictures, INPUTS, 3, size, size)


@pytest.mark.parametrize("pictures", [1, 5])
@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "test_convnext", "resnetv2_50"])
def test_original_is_the_network_alone_to_the_last_bit(name: str, pictures: int) -> None:
    alone = network(name)
    shown = pixels(pictures)
    with torch.inference_mode():
        assert torch.equal(build_topology(alone, INPUTS, "original").eval()(shown), alone(shown[:, 0]))


def test_mean_is_the_mean_of_the_logits() -> None:
    alone = network()
    shown = pixels(4)
    with torch.inference_mode():
        mean = torch.stack([alone(one) for one in shown.unbind(1)]).mean(dim=0)
        torch.testing.assert_close(build_topology(alone, INPUTS, "mean").eval()(shown), mean)


def test_random_weighs_every_input() -> None:
    topology = build_topology(network(), INPUTS, "random").eval()
    shown = pixels(1)
    with torch.inference_mode():
        before = topology(shown)
        for j in range(INPUTS):
            changed = shown.clone()
            changed[:, j] = 0
            assert not torch.equal(topology(changed), before)


def test_the_network_itself_is_left_alone() -> None:
    alone = network()
    shown = pixels(1)[:, 0]
    with torch.inference_mode():
        before = alone(shown)
        build_topology(alone, INPUTS, "random")
        assert torch.equal(alone(shown), before)


def test_a_network_with_two_last_layers_is_refused() -> None:
    with pytest.raises(UsageError, match="no one last fully connected layer"):
        build_topology(outline("deit_tiny_distilled_patch16_224"), INPUTS, "original")


def test_parameters_are_shared_by_all_inputs() -> None:
    small, large = (build_topology(network(), inputs, "random") for inputs in (2, 11))
    assert parameter_count(small.trunk) == parameter_count(large.trunk)
    assert parameter_count(large.head) - parameter_count(small.head) == 9 * 96 * 1000


@pytest.mark.parametrize(
    ("name", "last", "parameters"),
    [
        ("inception_v3", ["Mixed_7a", "Mixed_7b", "Mixed_7c"], 23_834_568),  # the paper's Block8, Block9, Block10; 24M
        ("resnetv2_50", ["stages.1", "stages.2", "stages.3"], 25_549_352),  # the last one is its Block4; 25M
        ("tf_efficientnet_lite0", ["blocks.4", "blocks.5", "blocks.6 … conv_head"], 4_652_008),
        ("test_vit", ["blocks.3", "blocks.4", "blocks.5"], 371_240),
    ],
)
def test_blocks_are_timms(name: str, last: list[str], parameters: int) -> None:
    alone = outline(name)
    assert parameter_count(alone) == parameters
    alone.reset_classifier(0)  # type: ignore[operator]  # Module's type knows no methods of timm
    assert [block.name for block in blocks_of(alone)][-3:] == last


def test_every_parameter_belongs_to_one_block() -> None:
    for name in ("inception_v3", "resnetv2_50", "test_vit", "test_convnext", "densenet121", "vgg11"):
        topology = build_topology(outline(name), INPUTS, "random")
        listed = [parameter for block in topology.blocks for parameter in block.parameters]
        assert sorted(listed) == sorted(name for name, _ in topology.trunk.named_parameters())


def test_the_paper_trained_as_many_blocks_as_its_tables_have_rows() -> None:
    for table, name in ((TABLE_3, "inception_v3"), (TABLE_4, "resnetv2_50")):
        rows = len(table.lines) - 1
        topology = build_topology(outline(name), INPUTS, "random")
        topology.unfreeze(rows - 1)
        assert 0 < parameter_count(topology.trunk, trained=True) < parameter_count(topology.trunk)


def test_only_the_last_blocks_and_the_last_layer_are_trained() -> None:
    topology = build_topology(network(), INPUTS, "random")
    topology.unfreeze(1)
    trained = {name for name, parameter in topology.named_parameters() if parameter.requires_grad}
    assert trained == {
        "head.weight",
        "head.bias",
        *(f"trunk.{name}" for name in topology.blocks[-1].parameters),
    }
    topology.unfreeze(0)
    assert parameter_count(topology, trained=True) == parameter_count(topology.head)


def test_frozen_batch_normalisation_does_not_drift() -> None:
    topology = build_topology(network(), INPUTS, "random")
    topology.unfreeze(1)
    topology.train()
    before = {name: tensor.clone() for name, tensor in topology.trunk.named_buffers()}
    topology(pixels(4)).sum().backward()
    moved = {name for name, tensor in topology.trunk.named_buffers() if not torch.equal(tensor, before[name])}
    assert moved
    assert all(name.startswith("layer4.") for name in moved)


def test_in_training_all_inputs_are_normalised_together() -> None:
    topology = build_topology(network(), INPUTS, "random")
    topology.unfreeze(len(topology.blocks))
    topology.train()
    topology(pixels(2))
    updates = {int(tensor) for name, tensor in topology.trunk.named_buffers() if name.endswith("num_batches_tracked")}
    assert updates == {1}


def kept_for_backward(topology: Topology, shown: torch.Tensor) -> int:
    """Bytes of activations that a training step keeps; parameters are there anyway."""
    kept: dict[int, int] = {}
    own = {parameter.untyped_storage().data_ptr() for parameter in topology.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    topology.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        held = topology(shown)
    assert held.requires_grad
    return sum(kept.values())


def test_memory_follows_what_is_trained() -> None:
    topology = build_topology(network(), INPUTS, "random")
    shown = pixels(4)
    kept = []
    for count in range(len(topology.blocks) + 1):
        topology.unfreeze(count)
        kept.append(kept_for_backward(topology, shown))
    assert kept[0] == len(shown) * INPUTS * topology.head.features * torch.float32.itemsize  # the last layer's input
    assert kept == sorted(kept)
    assert kept[-1] > 10 * kept[1] > 100 * kept[0]
