# %% [markdown]
# # What regularity of the latent space means
#
# An autoencoder's objective only asks that each image can be decoded from its own code. A VAE (Kingma and Welling 2013)
# adds noise to the code and a KL term that holds all posteriors near one prior:
#
# $$\text{AE:} \; -\log p(x \mid f(x)) \qquad \text{VAE:} \; -\mathbb{E}_{q(z|x)} \log p(x|z)
# + \mathrm{KL}(q(z|x) \,\|\, N(0, I))$$
#
# That is to make the latent space *continuous*, near codes decode to similar images, and *complete*, a code that is
# drawn decodes to a valid image. Both are measured here, with two units, which can be seen, and with twenty.

# %%
DATA = "mnist"  # or "digits", which needs no files
EPOCHS = 5

# %%
import matplotlib.pyplot as plt
import pandas as pd
import torch

import latentlab as ll

recipe = ["net.widths=[512,256]", "scheduler=one_cycle", "optimizer.lr=2e-3", f"trainer.max_epochs={EPOCHS}"]
models = {}
for variant in ("ae", "vae"):
    for units in (2, 20):
        options = [f"data={DATA}", f"model={variant}", f"model.latent_dim={units}", "callbacks=no_pictures", *recipe]
        run = ll.train(*options)
        models[variant, units] = run.model()
data = run.data()
x, y = data.test.pixels[:2000] / 255, data.test.labels[:2000]

# %% [markdown]
# ## Where the codes lie
#
# The codes of the VAE fill the region of $N(0, I)$, which the square $[-5, 5]^2$ holds. Those of the AE lie anywhere:
# where to draw a code can only be learned from the codes of images.

# %%
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#F0E442", "#882255", "#332288"]
_, panels = plt.subplots(1, 2, figsize=(6, 2.8), layout="constrained")
for axes, variant in zip(panels, ("ae", "vae"), strict=True):
    z = models[variant, 2].encode(x).z
    for label, colour in enumerate(COLOURS):
        axes.scatter(*z[y == label].T.numpy(), s=2, color=colour, label=label)
    axes.add_patch(plt.Rectangle((-5, -5), 10, 10, fill=False, linewidth=1.5))
    inside = (z.abs() < 5).all(1).float().mean()
    axes.set(title=f"{variant}: {inside:.0%} of the codes inside", aspect="equal")
    axes.set(xlabel="unit 1", ylabel="unit 2")
_ = panels[1].legend(title="label", loc="center left", bbox_to_anchor=(1, 0.5), markerscale=3, fontsize=7)


# %% [markdown]
# ## The square, decoded
#
# Each image is the decoded code at its place. Between the ones and the zeros, where it has no codes, the AE has
# images of both at once: zeros with a stroke. Towards the edges of the VAE's square, where there are no codes,
# little changes.


# %%
def plane(model, steps=11):
    """The images of the codes on a grid over the square, as one picture."""
    line = torch.linspace(-5, 5, steps)
    z = torch.cartesian_prod(line.flip(0), line).flip(1)  # unit 1 to the right, unit 2 upwards
    images = model.decode(z).squeeze(1).unflatten(0, (steps, steps))
    return torch.cat([torch.cat([*row], dim=1) for row in images])


_, panels = plt.subplots(1, 2, figsize=(5.4, 2.8), layout="constrained")
for axes, variant in zip(panels, ("ae", "vae"), strict=True):
    axes.imshow(plane(models[variant, 2]).numpy(), cmap="gray", vmin=0, vmax=1, extent=(-5, 5, -5, 5))
    axes.set(title=f"{variant}: decoded codes", xlabel="unit 1", ylabel="unit 2")

# %% [markdown]
# ## Continuity
#
# A step of a quarter of the codes' standard deviation $s$, in a random direction $u$ with
# $\frac{1}{D} \lVert u \rVert^2 = 1$. How far does the decoded image $g(z)$ of $P$ pixels move?
#
# $$\mathrm{moves} = \Big(\tfrac{1}{P} \lVert g(z + \tfrac{1}{4} s u) - g(z) \rVert^2\Big)^{1/2}$$
#
# ## Completeness
#
# Codes are drawn from $N(0, I)$, and from a Gaussian with the mean and covariance of the test images' codes, $N(m, C)$.
# An image counts as clear if its ten nearest training images all have one label. Not all test images do: theirs is the
# number to compare with.

# %%
reference = data.train.take(torch.arange(len(data.train.labels))[:10_000])


def clear(images):
    """The share of images whose ten nearest training images have one label."""
    distances = torch.cdist(images.flatten(1), reference.pixels.flatten(1) / 255)
    labels = reference.labels[distances.topk(10, largest=False).indices]
    return float((labels == labels[:, :1]).all(1).float().mean())


torch.manual_seed(0)
print(f"{clear(x):.3f} of the test images are clear")
rows = {}
for (variant, units), model in models.items():
    z = model.encode(x).z
    u = torch.nn.functional.normalize(torch.randn_like(z), dim=1) * units**0.5
    moved = model.decode(z + 0.25 * z.std(0) * u) - model.decode(z)
    fitted = torch.distributions.MultivariateNormal(z.mean(0), torch.cov(z.T))
    rows[variant, units] = {
        "moves": float(moved.square().mean((1, 2, 3)).sqrt().mean()),
        "clear, N(0, I)": clear(model.decode(torch.randn_like(z))),
        "clear, N(m, C)": clear(model.decode(fitted.sample((len(z),)))),
    }
pd.DataFrame(rows).T.round(3)

# %% [markdown]
# Codes of twenty units, drawn from the Gaussian that fits the AE's codes and from the VAE's prior, and decoded:

# %%
ae, vae = models["ae", 20], models["vae", 20]
z = ae.encode(x).z
fitted = torch.distributions.MultivariateNormal(z.mean(0), torch.cov(z.T))
_, panels = plt.subplots(2, 1, figsize=(4.4, 2.3), layout="constrained")
drawn = {"ae, codes of N(m, C)": ae.decode(fitted.sample((24,))), "vae, codes of N(0, I)": vae.sample(24)}
for axes, (title, images) in zip(panels, drawn.items(), strict=True):
    picture = torch.cat([torch.cat([*row.squeeze(1)], dim=1) for row in images.split(12)])
    axes.imshow(picture.numpy(), cmap="gray", vmin=0, vmax=1)
    axes.set(title=title, xticks=[], yticks=[])

# %% [markdown]
# Continuity: the image moves less in the VAE, clearly with two units, a little with twenty. Completeness: of codes of
# $N(0, I)$, which the VAE was trained for, more are clear in the VAE. A Gaussian can be fitted to the codes of the AE
# afterwards; with two units its draws are the clearest of all, with twenty the codes are no longer those of a
# Gaussian, and the VAE is ahead (compare Ghosh et al. 2020). But of its draws, too, only about half as many are clear
# as of the test images: the KL term brings each posterior near the prior, and does not make their mixture equal to
# it. `latentlab train -m experiment=order` measures the same by a trained classifier.
