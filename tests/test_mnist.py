"""Real MNIST: the metrics of the experiments, compared with scikit-learn's PCA and a plain PyTorch loop."""

import numpy as np
import pytest
import torch
from torch import Tensor

from latentlab.data.torchvision_sets import MNISTDataModule
from latentlab.training.restore import load_model, trusted_config

pytestmark = pytest.mark.mnist
PLAIN = ["trainer=cpu", "callbacks=no_pictures", "logger=none", "quiet=true"]


@pytest.fixture
def train_on_mnist(train, mnist_root):
    return lambda *arguments, **options: train(*PLAIN, f"data.root='{mnist_root}'", *arguments, **options)


@pytest.fixture(scope="module")
def pixels(mnist_root) -> tuple[np.ndarray, np.ndarray]:
    """The 55,000 training and 10,000 test images, (N, 784) in [0, 1]."""
    data = MNISTDataModule(root=mnist_root)
    data.prepare_data()
    data.setup()
    train, test = (part.pixels.flatten(1).numpy().astype(np.float32) / 255 for part in (data.train, data.test))
    assert (len(train), len(test)) == (55_000, 10_000)
    return train, test


@pytest.mark.slow
def test_the_classic_vae_has_the_elbo_of_a_plain_pytorch_loop(train_on_mnist):
    metrics = train_on_mnist("experiment=classic_vae", "seed=0").metrics["metrics"]
    assert -metrics["test/elbo"] <= 113.5  # nats; a plain PyTorch loop gives 112.5


@pytest.mark.long
def test_the_linear_autoencoder_is_a_principal_component_analysis(train_on_mnist, pixels):
    from sklearn.decomposition import PCA

    images, test = pixels
    pca = PCA(n_components=32, svd_solver="covariance_eigh").fit(images)
    expected = float(((pca.inverse_transform(pca.transform(test)) - test) ** 2).mean())
    run = train_on_mnist("experiment=pca")
    assert run.metrics["metrics"]["test/mse"] == pytest.approx(expected, rel=0.01)

    # Components 32 and 33 differ by 8 % in variance: a rotation of the last direction by an angle a adds sin(a)^2 of
    # 0.2 % to the error. So the angle is the stricter test. Seeds 0 to 2 give 1 degree.
    model = load_model(run, trusted_config(run))
    assert largest_angle(model.decoder.layer.weight.detach(), torch.from_numpy(pca.components_.T)) < 4
    code = model.encoder(torch.from_numpy(test).unflatten(1, (1, 28, 28))).detach()
    scores = torch.from_numpy(pca.transform(test))
    assert largest_angle(code - code.mean(0), scores - scores.mean(0)) < 4


@pytest.mark.long
def test_the_same_seed_gives_the_same_weights_bit_for_bit(train_on_mnist):
    short = ["model=vae", "net.widths=[64]", "trainer.max_epochs=1", "seed=5"]
    runs = [train_on_mnist(*short, folder=folder) for folder in ("first", "second")]
    one, two = (torch.load(run.last_checkpoint, weights_only=True)["state_dict"] for run in runs)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.long
@pytest.mark.timeout(1800)  # the reference classifier is trained
def test_an_evaluation_on_mnist_with_an_accurate_reference_classifier(train_on_mnist, outputs):
    run = train_on_mnist("model=vae", "trainer.max_epochs=1", "evaluate=quick", f"paths.output_dir={outputs}")
    found = {name.removeprefix("test/"): value for name, value in run.metrics["metrics"].items()}
    assert found["reference_classifier_error"] <= 0.01
    # after one epoch most samples are blurred
    assert found["completeness"] < 0.5 * found["reference_classifier_confident"]
    assert found["frechet_prior"] > 10 * found["frechet_train"]
    assert found["mse_pca"] == pytest.approx(0.02354, abs=1e-5)  # 20 components
    assert found["nll"] < -found["elbo"] - 1
    assert found["linear_probe_error"] < 0.2
    assert found["knn_error"] < 0.06
    assert 0 < found["mutual_information"] < np.log(55_001)


def largest_angle(a: Tensor, b: Tensor) -> float:
    """Degrees between the spans of the columns of `a` and `b`, both (n, 32); Bjorck and Golub 1973."""
    one, two = (torch.linalg.qr(m.double()).Q for m in (a, b))
    cosines = torch.linalg.svdvals(one.T @ two)
    return float(torch.rad2deg(torch.acos(cosines.min().clamp(max=1))))
