"""Several steps to a call of Lightning's give the results of one at a time, and its step hooks run at every step."""

import itertools
import json
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback

from latentlab.functional.batch import Batch
from latentlab.models.optimization import lightning_steps
from latentlab.models.parts import Parts
from tests.training.callbacks.short_runs import digits, model_of, trainer_with

SHORT = ("data=digits", "data.batch_size=64", "net.widths=[32]", "trainer=cpu", "callbacks=no_pictures")
STEPS = 21  # of 64 in 1,297 images


def weights(run):
    return torch.load(run.last_checkpoint, weights_only=True)["state_dict"]


@pytest.mark.parametrize("model", ["ae", "sparse_ae", "denoising_ae", "vae", "cvae"])
def test_the_number_of_steps_in_a_call_changes_no_bit(train, model):
    runs = [
        train(
            *SHORT,
            f"model={model}",
            "scheduler=cosine",
            "trainer.max_epochs=2",
            f"trainer.steps_per_call={n}",
            folder=f"{n}",
        )
        for n in (1, 100)
    ]
    first, *others = runs
    for other in others:
        assert other.metrics["metrics"] == first.metrics["metrics"]
        assert all(torch.equal(a, b) for a, b in zip(weights(first).values(), weights(other).values(), strict=True))


def test_a_checkpoint_of_every_n_steps_is_saved_at_exactly_those_steps(train):
    node = {"_target_": "lightning.pytorch.callbacks.ModelCheckpoint", "every_n_train_steps": 10, "save_top_k": -1,
            "dirpath": "steps", "filename": "'{step}'"}  # fmt: skip
    added = [f"+callbacks.steps.{key}={value}" for key, value in node.items()]
    run = train(*SHORT, "trainer.max_epochs=2", *added)
    assert {file.stem for file in Path("steps").iterdir()} == {"step=10", "step=20", "step=30", "step=40"}
    assert run.metrics["steps"] == 2 * STEPS


@pytest.mark.parametrize("limit", ["trainer.limit_train_batches=7", "trainer.limit_train_batches=0.34"])
def test_a_limit_counts_batches(train, limit):
    assert train(*SHORT, limit, "trainer.max_epochs=2").metrics["steps"] == 14


def test_training_ends_at_exactly_the_requested_step(train):
    assert train(*SHORT, "trainer.max_steps=13").metrics["steps"] == 13


def test_a_training_with_max_steps_is_resumed_at_the_end_of_an_epoch(train):
    run = train(*SHORT, "trainer.max_epochs=1", "+trainer.max_steps=30")
    again = train(f"resume={run.folder}", "trainer.max_epochs=3")
    assert again.metrics["steps"] == 30
    whole = train(*SHORT, "trainer.max_epochs=3", "+trainer.max_steps=30", folder="whole")
    assert all(torch.equal(a, b) for a, b in zip(weights(whole).values(), weights(again).values(), strict=True))


ENDS = {
    # options: optimizer steps after which there is a validation, in epochs of 21 steps
    ("max_epochs=2",): [21, 42],
    ("+max_steps=24",): [21, 24],
    ("+max_steps=41",): [21, 41],
    ("+max_steps=42",): [21, 42],
    ("max_epochs=2", "val_check_interval=4"): [4, 8, 12, 16, 20, 25, 29, 33, 37, 41],
    ("+max_steps=27", "val_check_interval=4"): [4, 8, 12, 16, 20, 25, 27],
    ("+max_steps=40", "val_check_interval=14", "+check_val_every_n_epoch=null"): [14, 28, 40],
    ("+max_steps=19", "limit_train_batches=8"): [8, 16, 19],
    ("+max_steps=9", "limit_train_batches=7", "accumulate_grad_batches=2"): [4, 8, 9],
}


REPEATED = [("+max_steps=24",), ("+max_steps=41",), ("+max_steps=42",), ("+max_steps=19", "limit_train_batches=8")]
REPEATED.append(("+max_steps=27", "val_check_interval=4"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [pytest.param(o, marks=pytest.mark.long) if o in REPEATED else o for o in ENDS], ids=" ".join
)
def test_the_steps_in_a_call_change_neither_validations_nor_weights(train, options):
    flags = [f"{'+' * o.startswith('+')}trainer.{o.removeprefix('+')}" for o in options]
    runs = [train(*SHORT, *flags, f"trainer.steps_per_call={n}", folder=f"{n}") for n in (1, 4, 25)]
    lines = [[json.loads(line) for line in (run.folder / "history.jsonl").read_text().splitlines()] for run in runs]
    assert [line["step"] for line in lines[0] if "val/mse" in line] == ENDS[options]
    for run, history in zip(runs[1:], lines[1:], strict=True):
        assert history == lines[0]
        assert run.metrics["metrics"] == runs[0].metrics["metrics"]
        assert all(torch.equal(a, b) for a, b in zip(weights(runs[0]).values(), weights(run).values(), strict=True))


@pytest.mark.parametrize(
    "options",
    [("max_epochs=2",), ("+max_steps=27",), ("max_epochs=3", "+check_val_every_n_epoch=2")],
    ids=" ".join,
)
def test_the_weights_kept_are_those_of_the_validation_whose_metric_is_kept_with_them(train, options):
    run = train(*SHORT, *(f"{'+' * o.startswith('+')}trainer.{o.removeprefix('+')}" for o in options))
    lines = [json.loads(line) for line in (run.folder / "history.jsonl").read_text().splitlines()]
    metrics = {line["step"]: line["val/objective_final"] for line in lines if "val/objective_final" in line}
    best = min(metrics, key=metrics.__getitem__)
    assert torch.load(run.best_checkpoint, weights_only=True)["global_step"] == best
    assert run.metrics["metrics"]["val/objective_final"] == metrics[best]


def test_validation_comes_after_exactly_the_requested_batch(train):
    run = train(*SHORT, "trainer.max_epochs=1", "trainer.val_check_interval=8", "logger=csv")
    log = (run.folder / "train.log").read_text()
    assert "an epoch's end, whose weights are kept, is left without validation" in log
    steps = [int(row["step"]) for row in rows(run) if row.get("val/mse")]
    assert steps == [8, 16]


def test_curves_within_an_epoch_are_means_over_their_steps(train):
    run = train(*SHORT, "trainer.max_epochs=1", "trainer.log_every_n_steps=7", "logger=csv")
    points = {
        int(row["step"]): float(row["train/objective_step"]) for row in rows(run) if row.get("train/objective_step")
    }
    assert list(points) == [7, 14, 21]
    # batches of 64 but for the last, of 17: 448, 448 and 401 images
    mean = sum(n * value for n, value in zip((448, 448, 401), points.values(), strict=True)) / 1297
    (whole,) = [float(row["train/objective"]) for row in rows(run) if row.get("train/objective")]
    assert mean == pytest.approx(whole, rel=1e-5)


def test_without_an_interval_there_is_one_point_per_epoch(train):
    run = train(*SHORT, "trainer.max_epochs=1", "trainer.log_every_n_steps=0", "logger=csv")
    assert not any(row.get("train/objective_step") for row in rows(run))
    assert [int(row["step"]) for row in rows(run) if row.get("train/objective")] == [STEPS]


def test_batches_of_one_step_are_one_large_batch(train):
    """With plain gradient descent the mean of two halves' gradients is that of the whole."""
    options = ("optimizer=sgd", "optimizer.lr=1e-5", "trainer.max_epochs=1", "data.seed=0")
    whole = train(*SHORT, *options, "data.batch_size=128", "trainer.limit_train_batches=8", folder="whole")
    halves = train(
        *SHORT, *options, "trainer.limit_train_batches=16", "trainer.accumulate_grad_batches=2", folder="halves"
    )
    assert whole.metrics["steps"] == halves.metrics["steps"] == 8
    mse = [run.metrics["metrics"]["test/mse"] for run in (whole, halves)]
    assert mse[0] == pytest.approx(mse[1], rel=1e-4)


class Recording(Callback):
    """Records the hooks of a step, in order."""

    def __init__(self) -> None:
        self.hooks: list[str] = []

    def on_train_batch_start(self, *_) -> None:
        self.hooks.append("call")

    def on_before_backward(self, *_) -> None:
        self.hooks.append("before backward")

    def on_after_backward(self, *_) -> None:
        self.hooks.append("after backward")

    def on_before_optimizer_step(self, *_) -> None:
        self.hooks.append("step")


class Norms(torch.optim.SGD):
    """Records the norm of the gradients of each step."""

    seen: list[float]

    def step(self, closure=None):
        result = super().step(closure)
        grads = [p.grad for group in self.param_groups for p in group["params"]]
        self.seen.append(torch.stack([g.norm() for g in grads]).norm().item())
        return result


def fit(*callbacks: Callback, **parts) -> None:
    data = digits()
    data.batches_per_call = 2
    model = model_of("vae", data)
    model.parts = Parts(**{**vars(model.parts), **parts})
    model.train_in_calls(lightning_steps, total_steps=3)
    trainer = trainer_with(None, *callbacks)
    trainer.fit(model, datamodule=data)


def test_the_step_hooks_of_a_callback_run_at_every_step(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recording = Recording()
    fit(recording, Callback())
    step = ["before backward", "after backward", "step"]
    assert recording.hooks == ["call", *step, *step, "call", *step]


@pytest.mark.parametrize(("most", "by"), [(0.5, "norm"), (1e-3, "value"), (None, "norm")])
def test_gradients_are_clipped_before_each_step(tmp_path, monkeypatch, most, by):
    monkeypatch.chdir(tmp_path)
    Norms.seen = []
    values = []

    class Largest(Norms):
        def step(self, closure=None):
            result = super().step(closure)
            params = itertools.chain.from_iterable(group["params"] for group in self.param_groups)
            values.append(max(p.grad.abs().max().item() for p in params))
            return result

    fit(optimizer=lambda parameters: Largest(parameters, lr=1e-6), clip=most, clip_by=by)
    assert len(Norms.seen) == 3
    if most is None:
        assert min(Norms.seen) > 0.5
    else:
        assert max(Norms.seen if by == "norm" else values) == pytest.approx(most, rel=1e-4)


class SizesOfBatches(Callback):
    """As a third party writes it: reads the batch after its step."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        batches = (batch,) if isinstance(batch, Batch) else batch
        self.sizes += [batch_idx, *(len(each.x) for each in batches)]

    def on_train_end(self, trainer, pl_module) -> None:
        (Path(trainer.default_root_dir) / "sizes.json").write_text(json.dumps(self.sizes))


OWN = f"+callbacks.sizes._target_={__name__}.SizesOfBatches"
THIRD_PARTY = "+callbacks.rate._target_=lightning.pytorch.callbacks.LearningRateMonitor"


@pytest.mark.parametrize(
    ("options", "sizes"),
    [((), [0, 64, 1, 64, 2, 64, 3, 64]), (("trainer.accumulate_grad_batches=2",), [0, 64, 64, 1, 64, 64])],
)
def test_a_callback_with_a_hook_per_batch_gets_each_batch(train, capfd, options, sizes):
    run = train(*SHORT, "trainer.max_epochs=1", "trainer.limit_train_batches=4", *options, OWN)
    assert json.loads((run.folder / "sizes.json").read_text()) == sizes
    lines = [line for line in capfd.readouterr().out.splitlines() if "one step per call" in line]
    assert len(lines) == 1
    assert "SizesOfBatches has a hook for each batch" in lines[0]


def test_lightnings_own_monitor_of_the_learning_rate_logs_every_step(train, capfd):
    options = ("scheduler=cosine", "trainer.max_epochs=1", "trainer.log_every_n_steps=1", "logger=csv")
    run = train(*SHORT, *options, THIRD_PARTY)
    assert "LearningRateMonitor has a hook for each batch" in capfd.readouterr().out
    rates = [float(row["lr-Adam"]) for row in rows(run) if row.get("lr-Adam")]
    assert len(rates) == len(set(rates)) == STEPS


def test_the_results_do_not_depend_on_a_hook_per_batch(train):
    options = (*SHORT, "trainer.max_epochs=1", "logger=csv")
    with_hook, without = train(*options, THIRD_PARTY, folder="with"), train(*options, folder="without")
    assert with_hook.metrics["metrics"] == without.metrics["metrics"]


def rows(run):
    import csv

    with next(run.folder.glob("csv/**/metrics.csv")).open() as file:
        return list(csv.DictReader(file))
