"""Writes fixtures/mlp_{tanh,relu}.txt: what PyTorch computes for a small perceptron, as hex floats.

Each file: the starting parameters in our layout (weights (in, out), then bias, layer by layer), a batch,
the outputs, the loss's gradients by outputs, parameters and inputs, and the parameters after three Adam
steps with fresh gradients (clipping and weight decay off). Lines: name, count, then the numbers.

    python tests/golden/make_torch_fixtures.py

needs torch; the test that reads the files (tests/unit/nets/test_torch.c) does not.
"""

import pathlib

import torch

WIDTHS = [5, 7, 4, 3]
ROWS = 6
LEARNING_RATE = 3e-3
EPSILON = 1e-5


def flatten(tensors):
    """Parameters or gradients of the linear layers in our layout."""
    parts = []
    for weight, bias in tensors:
        parts += [weight.t().reshape(-1), bias.reshape(-1)]
    return torch.cat(parts)


def main():
    folder = pathlib.Path(__file__).parent / "fixtures"
    for name, activation in (("tanh", torch.nn.Tanh), ("relu", torch.nn.ReLU)):
        torch.manual_seed(1)
        layers = []
        for i, (fan_in, fan_out) in enumerate(zip(WIDTHS, WIDTHS[1:])):
            layers += [activation()] if i else []
            layers += [torch.nn.Linear(fan_in, fan_out)]
        net = torch.nn.Sequential(*layers)
        linear = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
        batch = torch.randn(ROWS, WIDTHS[0])
        target = torch.randn(ROWS, WIDTHS[-1])
        numbers = {"param": flatten([(l.weight, l.bias) for l in linear]), "x": batch,
                   "target": target}

        optimiser = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE, eps=EPSILON)
        for step in range(3):
            optimiser.zero_grad()
            out = net(batch)
            out.retain_grad()
            loss = ((out - target) ** 2).sum() / 2
            loss.backward()
            if step == 0:
                numbers |= {"y": out, "dy": out.grad,
                            "grad": flatten([(l.weight.grad, l.bias.grad) for l in linear])}
            optimiser.step()
        numbers["param_after_3_steps"] = flatten([(l.weight, l.bias) for l in linear])

        lines = []
        for key, value in numbers.items():
            values = value.detach().clone().reshape(-1).tolist()
            lines += [f"{key} {len(values)}"] + [float(v).hex() for v in values]
        (folder / f"mlp_{name}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
