"""A sixth variant costs one Python file and one YAML, and no edit of anything that is there."""

import json
import os
import subprocess
import sys

VARIANT = '''
from typing import final

from latentlab.functional.batch import Batch
from latentlab.models.base import Autoencoder, Code, Encoding, Image, Label, Terms
from latentlab.models.parts import Parts


@final
class ContractiveCode(Autoencoder):
    """A plain autoencoder that pays for the length of its code."""

    def __init__(self, parts: Parts, latent_dim: int, price: float) -> None:
        super().__init__(parts, latent_dim)
        self.price = price

    def encode(self, x: Image, y: Label) -> Encoding:
        return Encoding(self.encoder(x))

    def decode(self, z: Code, y: Label) -> Image:
        return self.decoder(z)

    def prior(self, y: Label) -> None:
        return None

    def corrupt(self, batch: Batch) -> Image:
        return batch.x

    def terms(self, batch: Batch) -> Terms:
        z = self.encode(batch.x, batch.y).z
        reconstruction = -self.likelihood.log_prob(batch.x, self.decode(z, batch.y))
        return {"reconstruction": reconstruction, "length": z.square().sum(1)}

    def weights(self, step: int | None) -> dict[str, float]:
        return {"reconstruction": 1.0, "length": self.price}
'''

CONFIG = """
_target_: sixth.ContractiveCode
latent_dim: 5
price: 0.1
"""


def run(folder, *arguments):
    (folder / "conf" / "model").mkdir(parents=True)
    (folder / "sixth.py").write_text(VARIANT)
    (folder / "conf" / "model" / "sixth.yaml").write_text(CONFIG)
    command = [sys.executable, "-m", "latentlab", "train", "--config-dir", "conf", "model=sixth", "data=digits"]
    command += ["data.image_size=8", "trainer=smoke", f"hydra.run.dir={folder}/run", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_it_trains_reports_the_yardstick_and_draws_without_an_edit_elsewhere(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "run" / "metrics.json").read_text())["metrics"]
    assert {"test/reconstruction", "test/length", "test/mse", "test/bce"} <= figures.keys()
    assert len(list((tmp_path / "run" / "figures").glob("*.png"))) == 4


def test_its_signature_is_its_schema(tmp_path):
    done = run(tmp_path, "model.price=much")
    assert done.returncode == 1
    assert done.stderr.startswith("error: model.price: expected float, found 'much'")
