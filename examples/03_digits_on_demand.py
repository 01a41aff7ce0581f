# %% [markdown]
# # Digits on demand
#
# A conditional VAE (Sohn et al. 2015) knows the label $y$: encoder and decoder are given it beside their input. It
# minimises, in nats per image, a bound on $-\log p(x|y)$:
#
# $$-\mathbb{E}_{q(z|x,y)} \log p(x|z,y) + \mathrm{KL}(q(z|x,y) \,\|\, p(z)), \qquad p(z) = N(0, I).$$
#
# The prior is the same for every label, and the label is given for free. A code that told it again would only cost KL;
# what is left for the code is the style: slant, thickness, width. Three units are enough for that.

# %%
DATA = "mnist"  # or "digits", which needs no files
EPOCHS = 8

# %%
import matplotlib.pyplot as plt
import torch

import latentlab as ll

recipe = ["scheduler=one_cycle", "optimizer.lr=2e-3", f"trainer.max_epochs={EPOCHS}", "callbacks=no_pictures"]
network = ["net.widths=[512,256]", "net.activation=silu", "model.latent_dim=3"]
run = ll.train("model=cvae", f"data={DATA}", *network, *recipe)
model, data = run.model(), run.data()


# %% [markdown]
# ## Any digit, in any style
#
# Each column below has one code $z \sim N(0, I)$, each row one label $y$; shown is the expected image of
# $p(x|z,y)$.


# %%
def show(rows, title, xlabel, ylabel, names):
    """Rows of images, each (N, 1, H, W), with their names; 0 is black and 1 is white."""
    picture = torch.cat([torch.cat([*row.squeeze(1)], dim=1) for row in rows])
    height, columns = rows[0].shape[-2], len(rows[0])
    _, axes = plt.subplots(figsize=(0.4 * columns + 0.6, 0.4 * len(rows) + 0.6), layout="constrained")
    axes.imshow(picture.numpy(), cmap="gray", vmin=0, vmax=1)
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel, xticks=[])
    axes.set_yticks([height * (row + 0.5) for row in range(len(rows))], names)


torch.manual_seed(0)
z = torch.randn(10, model.latent_dim)
rows = [model.decode(z, label) for label in range(data.num_classes)]
show(rows, "One style per column, one label per row", "codes of the prior", "label", data.class_names)

# %% [markdown]
# Are these the digits that were asked for? As a judge that needs no training, the label of the most similar training
# image, $\arg\min_j \lVert \hat x - x_j \rVert^2$. The judge errs too, so it also judges real test images; they
# are less smooth than samples, and harder to judge.

# %%
reference = data.train.take(torch.arange(len(data.train.labels))[:10_000])


def judged(images):
    """The label of the nearest of the training images, for each image."""
    distances = torch.cdist(images.flatten(1), reference.pixels.flatten(1) / 255)
    return reference.labels[distances.argmin(1)]


asked = torch.arange(1000) % data.num_classes
samples = (judged(model.sample(1000, asked)) == asked).float().mean()
real = (judged(data.test.pixels[:1000] / 255) == data.test.labels[:1000]).float().mean()
print(f"the judge agrees with the label of {samples:.1%} of the samples and of {real:.1%} of the test images")

# %% [markdown]
# ## A style carried over
#
# The code of a test image under its own label, decoded with every label:
# $z = \mathbb{E}_{q(z|x,y)}[z]$, then $p(x|z,y')$.

# %%
shown = [195, 186, 61, 60]  # thin, bold, leaning to the right, and to the left
x, y = data.test.pixels[shown] / 255, data.test.labels[shown]
z = model.encode(x, y).z
carried = torch.stack([model.decode(z, label) for label in range(data.num_classes)], dim=1)  # (4, 10, 1, H, W)
rows = torch.cat([x.unsqueeze(1), torch.ones_like(x).unsqueeze(1), carried], dim=1)
show(rows, "Four test images, and their styles with every label", "test image, then labels 0 to 9", "label", y.tolist())
