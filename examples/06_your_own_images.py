# %% [markdown]
# # Your own images
#
# A folder of pictures whose sub-folders are the classes is a data set, and so are arrays in memory. Here both hold
# shapes that are drawn first; with images of your own, `FOLDER` is all that changes.

# %%
IMAGES = 300  # of each class
EPOCHS = 40

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image, ImageDraw

import latentlab as ll

FOLDER = Path("outputs/shapes")
SIDE = 32  # pixels
COLOURS = [(0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167)]
random = np.random.default_rng(0)


def drawn(shape):
    """One filled shape in the middle, its size, angle and colour at random."""
    picture = Image.new("RGB", (SIDE, SIDE), "black")
    radius, angle = random.uniform(8, 14), random.uniform(0, 360)
    colour = COLOURS[random.integers(len(COLOURS))]
    pen, middle = ImageDraw.Draw(picture), SIDE / 2
    if shape == "circle":
        pen.ellipse((middle - radius, middle - radius, middle + radius, middle + radius), fill=colour)
    else:
        sides = {"triangle": 3, "square": 4}[shape]
        pen.regular_polygon((middle, middle, radius), sides, rotation=angle, fill=colour)
    return picture


for shape in ("circle", "square", "triangle"):
    (FOLDER / shape).mkdir(parents=True, exist_ok=True)
    for number in range(IMAGES):
        drawn(shape).save(FOLDER / shape / f"{number:03}.png")

# %% [markdown]
# ## A folder
#
# The classes are labels, so a conditional VAE can draw each shape on demand (Sohn et al. 2015):
#
# $$-\log p(x|y) \leq -\mathbb{E}_{q(z|x,y)} \log p(x|z,y) + \mathrm{KL}(q(z|x,y) \,\|\, N(0, I))$$
#
# Validation and test images are drawn from the folder, a tenth each, class by class; or they lie in `validation/` and
# `test/`. `data.image_size=32` would resize pictures of other sizes.

# %%
recipe = ["optimizer.lr=2e-3", "data.batch_size=32", f"trainer.max_epochs={EPOCHS}", "callbacks=no_pictures"]
own = ["data=folder", f"data.root={FOLDER}", "data.channels=3"]
run = ll.train("model=cvae", "model.latent_dim=5", *own, *recipe)
model, data = run.model(), run.data()
print(data.class_names, {part: len(getattr(data, part).labels) for part in ("train", "validation", "test")})


# %%
def show(rows, names, title):
    """Rows of images, each (N, C, H, W), with their names."""
    picture = torch.cat([torch.cat([*row], dim=2) for row in rows], dim=1).clamp(0, 1).permute(1, 2, 0)
    height = rows[0].shape[-2]
    _, axes = plt.subplots(figsize=(6, 6 * len(picture) / picture.shape[1]), layout="constrained")
    axes.imshow(picture.numpy(), cmap="gray", vmin=0, vmax=1)
    axes.set(title=title, xticks=[])
    axes.set_yticks([height * (row + 0.5) for row in range(len(rows))], names)


torch.manual_seed(0)
x, y = data.test.pixels[:10] / 255, data.test.labels[:10]
show([x, model.reconstruct(x, y)], ["image", "reconstruction"], "Test images")
show([model.sample(10, label) for label in range(3)], data.class_names, "Samples of each class")

# %% [markdown]
# ## Arrays
#
# `ll.ArrayData` takes arrays or tensors, here grey rings without labels; they are kept below `outputs/arrays`, so that
# the run can be resumed and evaluated later.

# %%
rows, columns = np.mgrid[:SIDE, :SIDE]
centre, radius = random.uniform(12, 20, size=(3 * IMAGES, 2)), random.uniform(4, 11, size=3 * IMAGES)
distance = np.hypot(rows - centre[:, :1, None], columns - centre[:, 1:, None])
rings = np.exp(-((distance - radius[:, None, None]) ** 2) / 2)  # (N, H, W) in [0, 1]

run = ll.train("model=vae", "model.latent_dim=3", *recipe, data=ll.ArrayData(rings, name="rings"))

# %% [markdown]
# Three numbers describe a ring: two for its centre, one for its radius. Along each unit of a code of three,
# $z = (0, \dots, t, \dots, 0)$ for $t$ from -2 to 2. Nothing makes a unit one of these numbers: size and place change
# together.

# %%
steps = torch.linspace(-2, 2, 10)
units = [torch.nn.functional.one_hot(torch.tensor(unit), 3) * steps[:, None] for unit in range(3)]
show([run.model().decode(z) for z in units], [f"unit {unit + 1}" for unit in range(3)], "Each unit from -2 to 2")
