"""Writes torch_reference.json: what PyTorch makes of the networks and steps that TestTorchReference repeats.

python3 torch_reference.py > torch_reference.json   (with torch 2.15; any recent one gives the same to 1e-6)

Parameters and inputs are no random numbers but b*sin(0.7 i + p), i counting the entries of a channels-last array, so that
nothing but results needs storing.
"""

import json
import math

import torch
import torch.nn.functional as F

BATCH, SIZE, FEATURES, CHANNELS, KERNEL = 4, 8, 3, (2, 3), 5


def wave(phase, bound, *shape):
    n = math.prod(shape)
    return (bound * torch.sin(0.7 * torch.arange(n, dtype=torch.float64) + phase)).reshape(shape).float()


def parameters():
    flat = (SIZE // 4) ** 2 * CHANNELS[1]
    shapes = {
        "/encoder/convolution1/weights": (KERNEL, KERNEL, 1, CHANNELS[0]),
        "/encoder/convolution1/biases": (CHANNELS[0],),
        "/encoder/convolution2/weights": (KERNEL, KERNEL, CHANNELS[0], CHANNELS[1]),
        "/encoder/convolution2/biases": (CHANNELS[1],),
        "/encoder/linear/weights": (flat, FEATURES),
        "/encoder/linear/biases": (FEATURES,),
        "/evolution/weights": (FEATURES, FEATURES),
        "/decoder/linear/weights": (FEATURES, flat),
        "/decoder/linear/biases": (flat,),
        "/decoder/convolution2/weights": (KERNEL, KERNEL, CHANNELS[1], CHANNELS[0]),
        "/decoder/convolution2/biases": (CHANNELS[0],),
        "/decoder/convolution1/weights": (KERNEL, KERNEL, CHANNELS[0], 1),
        "/decoder/convolution1/biases": (1,),
    }
    return {name: wave(k, 0.3, *shape).requires_grad_() for k, (name, shape) in enumerate(shapes.items())}


def encode(p, x):
    for i in (1, 2):
        w = p[f"/encoder/convolution{i}/weights"].permute(3, 2, 0, 1)
        x = F.max_pool2d(F.relu(F.conv2d(x, w, p[f"/encoder/convolution{i}/biases"], padding=KERNEL // 2)), 2)
    x = x.permute(0, 2, 3, 1).flatten(1)
    return x @ p["/encoder/linear/weights"] + p["/encoder/linear/biases"]


def decode(p, z):
    x = z @ p["/decoder/linear/weights"] + p["/decoder/linear/biases"]
    x = x.reshape(-1, SIZE // 4, SIZE // 4, CHANNELS[1]).permute(0, 3, 1, 2)
    for i in (2, 1):
        x = F.relu(F.interpolate(x, scale_factor=2))
        # The mirrored kernel, as [in, out, height, width].
        w = p[f"/decoder/convolution{i}/weights"].flip(0, 1).permute(2, 3, 0, 1)
        x = F.conv_transpose2d(x, w, p[f"/decoder/convolution{i}/biases"], padding=KERNEL // 2)
    return x


def normalised(p, x, y):
    z = F.normalize(encode(p, torch.cat([x, y])), dim=-1)
    return (z * wave(5, 1, 2 * BATCH, FEATURES)).mean()


def autoencoder(p, x, y):
    zx, zy = encode(p, x), encode(p, y)
    evolved = zx @ p["/evolution/weights"]
    return F.mse_loss(decode(p, zx), x) + F.mse_loss(evolved, zy) + F.mse_loss(decode(p, evolved), y)


def train(loss, steps=6):
    p = parameters()
    x, y = wave(1, 1, BATCH, 1, SIZE, SIZE), wave(2, 1, BATCH, 1, SIZE, SIZE)
    used = {name: v for name, v in p.items() if loss is autoencoder or name.startswith("/encoder/")}
    optimizer = torch.optim.AdamW(used.values(), lr=1e-2, weight_decay=0.05)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss(p, x, y)
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return {
        "losses": losses,
        "parameters": {name: v.flatten().tolist() for name, v in used.items()},
        "features": encode(p, x).tolist(),
    }


print(json.dumps({"normalised": train(normalised), "autoencoder": train(autoencoder)}))
