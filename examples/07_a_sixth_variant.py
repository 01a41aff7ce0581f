# %% [markdown]
# # A sixth variant in fifteen lines
#
# A variant says how an image is encoded, which terms its objective has, and their weights; training and validation, the
# optimiser, the metrics and the pictures come from `ll.Autoencoder`. Here: a regularised autoencoder, in the manner of
# Ghosh et al. 2020, with a penalty on the length of the code,
#
# $$-\log p(x \mid f(x)) + \lambda \, \tfrac{1}{2} \lVert f(x) \rVert^2 .$$
#
# With $\lambda = 1$ this is $-\log p(x \mid z) - \log p(z)$ at $z = f(x)$ for the prior $N(0, I)$, up to a constant: a
# VAE that encodes an image by one code, not by a distribution of codes.

# %%
DATA = "mnist"  # or "digits", which needs no files
EPOCHS = 4

# %%
import matplotlib.pyplot as plt
import pandas as pd
import torch
from lightning.pytorch import Trainer

import latentlab as ll


class ShortCodes(ll.Autoencoder):
    """An autoencoder with a penalty on half the squared length of the code."""

    def __init__(self, parts: ll.Parts, latent_dim: int, strength: float) -> None:
        super().__init__(parts, latent_dim)
        self.strength = strength

    def encode(self, x, y=None):
        return ll.Encoding(self.encoder(x))

    def terms(self, batch, encoding):  # each (B,): nats per image
        return {**super().terms(batch, encoding), "length": encoding.z.square().sum(1) / 2}

    def weights(self, step):
        return {"reconstruction": 1.0, "length": self.strength}


# %% [markdown]
# ## Train it
#
# `ll.build` gives it networks, likelihood and optimizer from the configs. The data are those of a run of the plain
# autoencoder, with which it is compared. Lightning's own `Trainer` trains it.

# %%
baseline = ll.train("model=ae", f"data={DATA}", f"trainer.max_epochs={EPOCHS}", "callbacks=no_pictures")
data = baseline.data()

torch.manual_seed(0)
model = ll.build(ShortCodes, image_shape=data.image_shape, latent_dim=20, strength=1.0)
options = {"enable_progress_bar": False, "enable_model_summary": False, "default_root_dir": "outputs/short_codes"}
trainer = Trainer(max_epochs=EPOCHS, accelerator="cpu", **options)
trainer.fit(model, datamodule=data)
(metrics,) = trainer.test(model, datamodule=data, verbose=False)
model = model.eval().requires_grad_(False)

# %% [markdown]
# It reports what every variant reports, and its own term beside:

# %%
names = ["objective", "reconstruction", "length", "mse", "bce"]
columns = {"ae": baseline.metrics, "short codes": metrics}
pd.DataFrame({name: {key: found.get(f"test/{key}") for key in names} for name, found in columns.items()}).round(4)

# %% [markdown]
# ## What the penalty does
#
# The codes of the plain autoencoder are as long as the encoder happens to make them.

# %%
x = data.test.pixels / 255
codes = {"ae": baseline.model().encode(x).z, "short codes": model.encode(x).z}
_, axes = plt.subplots(figsize=(5, 3), layout="constrained")
for (name, z), colour, style in zip(codes.items(), ("#0072B2", "#D55E00"), ("-", "--"), strict=True):
    axes.plot(range(1, 21), z.std(0).sort(descending=True).values, style, color=colour, marker="o", label=name)
axes.set(title="Spread of the codes of the test images", xlabel="unit, by its spread", ylabel="standard deviation")
axes.set(xticks=[1, 5, 10, 15, 20], ylim=(0, None))
_ = axes.legend()

# %% [markdown]
# The penalty makes the codes several times shorter, for a somewhat larger error. They do not become $N(0, I)$, as
# nothing asks for a standard deviation of 1. The KL term of a VAE is this penalty and one more term, the entropy of the
# posterior, which rewards a wide one:
#
# $$\mathrm{KL}(q(z|x) \,\|\, N(0, I)) = \mathbb{E}_{q(z|x)} \tfrac{1}{2} \lVert z \rVert^2 + \tfrac{D}{2} \log 2 \pi
# - \mathrm{H}(q(z|x))$$

# %% [markdown]
# ## As a config
#
# With the class in a file `short_codes.py`, and beside it `conf/model/short_codes.yaml`,
#
# ```yaml
# _target_: short_codes.ShortCodes
# latent_dim: 20
# strength: 1.0
# ```
#
# it is a variant like the others: the constructor's signature is the schema of its config, and it can be swept, resumed
# and evaluated. Nothing in latentlab is edited.
#
# ```bash
# PYTHONPATH=. latentlab train --config-dir conf model=short_codes model.strength=0.3
# ```
#
# In Python the same is `ll.train("model=short_codes", config_dir="conf")`.
