"""The short names under which runs are compared."""

from latentlab.runs.hyperparameters import hyperparameters

CONFIG = {
    "model": {
        "_target_": "latentlab.models.sparse_ae.SparseAE",
        "latent_dim": 128,
        "penalty": {"_target_": "latentlab.functional.penalties.TopK", "weight": 1.0, "k": 16, "active_above": 0.0},
        "measurements": [{"_target_": "latentlab.evaluation.metrics.sparsity.sparsity", "_partial_": True}],
    },
    "net": {"encoder": {"_target_": "latentlab.models.nets.mlp.MLPEncoder", "_partial_": True}, "widths": [400]},
    "likelihood": {"_target_": "latentlab.functional.distributions.Bernoulli"},
    "data": {
        "_target_": "latentlab.data.torchvision_sets.MNISTDataModule",
        **{"root": "somewhere", "batch_size": 128, "binarize": None, "labels": True, "seed": 3},
    },
    "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 1e-3, "fused": True},
    "scheduler": {"_target_": "latentlab.functional.schedules.ConstantRate"},
    "trainer": {"_target_": "lightning.pytorch.Trainer", "max_epochs": 10, "devices": 1, "precision": "32-true"},
    "callbacks": {"checkpoint": {"_target_": "..."}},
    "paths": {"output_dir": "outputs"},
    "seed": 3,
}


def test_a_group_is_named_by_its_class_and_machinery_is_left_out():
    assert hyperparameters(CONFIG) == {
        "data": "MNIST",
        "data.batch_size": 128,
        "data.binarize": None,
        "likelihood": "Bernoulli",
        "model": "SparseAE",
        "model.latent_dim": 128,
        "model.penalty": "TopK",
        "model.penalty.weight": 1.0,
        "model.penalty.k": 16,
        "net": "MLP",
        "net.widths": [400],
        "optimizer": "Adam",
        "optimizer.lr": 1e-3,
        "scheduler": "ConstantRate",
        "trainer.devices": 1,
        "trainer.max_epochs": 10,
        "trainer.precision": "32-true",
        "seed": 3,
    }


def test_the_variant_is_among_the_first_five_columns_of_tensorboard():
    assert "model" in sorted(hyperparameters(CONFIG))[:5]
