# %% [markdown]
# # Train and look at a VAE
#
# A variational autoencoder (Kingma and Welling 2013) explains an image $x$ by a code $z$ of a few numbers. The encoder
# gives the posterior $q(z|x) = N(\mu(x), \operatorname{diag} \sigma^2(x))$, the decoder the likelihood $p(x|z)$, and
# the prior is $p(z) = N(0, I)$. Training minimises, in nats per image,
#
# $$-\mathrm{ELBO}(x) = \underbrace{-\mathbb{E}_{q(z|x)} \log p(x|z)}_{\text{reconstruction}}
# + \underbrace{\mathrm{KL}(q(z|x) \,\|\, p(z))}_{\text{kl}} \;\geq\; -\log p(x).$$

# %%
DATA = "mnist"  # or "digits", which needs no files
EPOCHS = 5

# %%
import matplotlib.pyplot as plt
import torch
from IPython.display import Image

import latentlab as ll

run = ll.train("model=vae", f"data={DATA}", "model.latent_dim=20", f"trainer.max_epochs={EPOCHS}")

# %% [markdown]
# Everything about the run lies in its folder below `outputs/runs`, and is read from there: the final metrics,

# %%
{name: round(value, 3) for name, value in run.metrics.items() if name.startswith("test/")}

# %% [markdown]
# the learning curves as a DataFrame with a row per epoch,

# %%
curves = run.history[["train/objective", "val/objective"]]
_, axes = plt.subplots(figsize=(5, 3), layout="constrained")
axes.plot(curves["train/objective"], "o-", color="#0072B2", label="training, mean over the epoch")
axes.plot(curves["val/objective"], "s--", color="#D55E00", label="validation, after the epoch")
axes.set(title="The objective, -ELBO", xlabel="epoch", ylabel="nats per image", xticks=curves.index)
_ = axes.legend()

# %% [markdown]
# and the pictures that a training draws: `run.figures` maps their names to PNG files.

# %%
Image(filename=run.figures["reconstructions"], width=500)

# %% [markdown]
# ## The KL term by hand
#
# Of two Gaussians the KL divergence has a closed form, a sum over the $D$ units of the code (Kingma and Welling 2013,
# appendix B):
#
# $$\mathrm{KL}(q(z|x) \,\|\, N(0, I))
# = \frac{1}{2} \sum_{d=1}^{D} \left(\mu_d^2 + \sigma_d^2 - \log \sigma_d^2 - 1\right)$$

# %%
model, data = run.model(), run.data()
x = data.test.pixels / 255  # (N, 1, H, W), from bytes to [0, 1]
mean, log_var = model.encode(x).posterior
kl = 0.5 * (mean**2 + log_var.exp() - log_var - 1)  # (N, D)
print(f"by hand {kl.sum(1).mean():.4f} nats, in the run's metrics {run.metrics['test/kl']:.4f} nats")

# %% [markdown]
# A unit that the decoder did not use would cost nothing: its posterior could be the prior, whatever the image.

# %%
_, axes = plt.subplots(figsize=(5, 2.5), layout="constrained")
axes.bar(range(1, 21), kl.mean(0).sort(descending=True).values.numpy(), color="#0072B2")
_ = axes.set(
    title="KL of each unit, mean over the test images", xlabel="unit, by its KL", ylabel="nats", xticks=[1, 10, 20]
)


# %% [markdown]
# ## New images, and the way between two
#
# A sample is the decoded image of a code from the prior: $z \sim N(0, I)$, then the expected image of $p(x|z)$. Between
# two images, the codes on the straight line from one code to the other are decoded.


# %%
def show(rows, title, ylabel=""):
    """Rows of images, each (N, 1, H, W); 0 is black and 1 is white."""
    picture = torch.cat([torch.cat([*row.squeeze(1)], dim=1) for row in rows])
    _, axes = plt.subplots(figsize=(5, 5 * len(picture) / picture.shape[1] + 0.4), layout="constrained")
    axes.imshow(picture.numpy(), cmap="gray", vmin=0, vmax=1)
    axes.set(title=title, ylabel=ylabel, xticks=[], yticks=[])


torch.manual_seed(0)
show(model.sample(30).split(10), "Samples of the prior")
paths = model.interpolate(x[[0, 1, 2]], x[[3, 4, 7]], steps=10)  # (3, 10, 1, H, W)
show(paths, "From one test image to another", "three pairs")
