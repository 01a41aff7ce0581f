# %% [markdown]
# # Denoise your own drawing
#
# A denoising autoencoder (Vincent et al. 2008) encodes a corrupted image $\tilde x$ and reconstructs the clean one:
#
# $$\min \; -\log p(x \mid f(\tilde x)), \qquad \tilde x = x + \sigma \varepsilon, \quad \varepsilon \sim N(0, I).$$
#
# Put a `drawing.png` of one digit beside this notebook, dark on light or light on dark; without one, a digit is drawn.

# %%
DATA = "mnist"  # or "digits", which needs no files
EPOCHS = 3
SIGMA = 0.5

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image, ImageDraw

import latentlab as ll

recipe = ["scheduler=one_cycle", "optimizer.lr=3e-3", f"trainer.max_epochs={EPOCHS}", "callbacks=no_pictures"]
network = ["net=cnn", "net.activation=silu", "model.latent_dim=128"]
run = ll.train("model=denoising_ae", f"model.corruption.sigma={SIGMA}", f"data={DATA}", *network, *recipe)
model = run.model()

# %% [markdown]
# ## The drawing
#
# A network is only good at images like those it was trained on. MNIST's digits were scaled to fit a box of 20 x 20
# pixels, proportions kept, and placed with their centre of mass in the middle of 28 x 28 (LeCun et al. 1998). So is the
# drawing.

# %%
if Path("drawing.png").is_file():
    drawing = Image.open("drawing.png").convert("L")
else:
    drawing = Image.new("L", (200, 260), 255)
    pen = ImageDraw.Draw(drawing)
    pen.arc((50, 30, 150, 130), 150, 450, fill=0, width=18)  # a three: two arcs
    pen.arc((45, 115, 155, 225), 270, 570, fill=0, width=18)


def as_mnist(picture):
    """White ink on black, in the size and at the place of MNIST's digits: (1, 1, 28, 28) in [0, 1]."""
    ink = np.asarray(picture, dtype=np.float32) / 255
    ink = 1 - ink if np.median(ink) > 0.5 else ink
    rows, columns = np.nonzero(ink > 0.2)
    box = Image.fromarray(ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    scale = 20 / max(box.size)
    size = [max(1, round(scale * side)) for side in box.size]
    digit = np.asarray(box.resize(size, Image.Resampling.BOX))
    weights = digit / digit.sum()
    top = round(14 - weights.sum(1) @ (np.arange(size[1]) + 0.5))
    left = round(14 - weights.sum(0) @ (np.arange(size[0]) + 0.5))
    canvas = torch.zeros(1, 1, 48, 48)  # with a margin, for a centre of mass that is far from the middle
    canvas[0, 0, 10 + top : 10 + top + size[1], 10 + left : 10 + left + size[0]] = torch.from_numpy(digit.copy())
    return canvas[..., 10:38, 10:38].clamp(0, 1)


x = as_mnist(drawing)

# %% [markdown]
# ## Noise, and the reconstruction
#
# The peak signal-to-noise ratio says how near an image, clamped to [0, 1] as it is shown, is to the clean one, in
# decibels; $P$ is the number of pixels:
#
# $$\mathrm{PSNR}(x, \hat x) = -10 \log_{10} \Big(\frac{1}{P} \sum_i (x_i - \hat x_i)^2\Big)$$


# %%
def psnr(clean, other):
    return float(-10 * (clean - other.clamp(0, 1)).square().mean().log10())


torch.manual_seed(0)
levels = [0.25, 0.5, 0.75, 1.0]
noisy = [x + sigma * torch.randn_like(x) for sigma in levels]
restored = [model.reconstruct(each) for each in noisy]

_, axes = plt.subplots(2, 5, figsize=(7, 3.2), layout="constrained")
shown = [(x, "drawing"), *((n, f"noise {s}\n{psnr(x, n):.1f} dB") for s, n in zip(levels, noisy, strict=True))]
shown += [(each, f"{psnr(x, each):.1f} dB") for each in (model.reconstruct(x), *restored)]
for ax, (image, title) in zip(axes.flat, shown, strict=True):
    ax.imshow(image[0, 0].numpy(), cmap="gray", vmin=0, vmax=1)
    ax.set_title(title, fontsize=9)
    ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("input")
axes[1, 0].set_ylabel("reconstruction")
_ = plt.suptitle(f"Trained with noise {SIGMA}")

# %% [markdown]
# On the whole test set, with the noise of the training:

# %%
names = ("psnr_mean_clipped_input", "psnr_mean", "ssim_clipped_input", "ssim")
{name: round(run.metrics[f"test/{name}"], 3) for name in names}

# %% [markdown]
# The training had one strength of noise. With less or none the drawing is restored as well or better; with twice as
# much, strokes are lost and others invented.
