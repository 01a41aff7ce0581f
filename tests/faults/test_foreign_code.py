"""Nothing that the config in a run's folder names is executed, unless it is a component of a run."""

import pytest
from omegaconf import OmegaConf

TAGS = ["!!python/object/apply:os.system ['touch executed']", "!!python/object/new:os.system ['touch executed']"]


@pytest.mark.parametrize("file", ["resolved.yaml", "overrides.yaml"])
@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_of_yaml_s_is_not_obeyed(run, answer, file, tag):
    content = (run / ".hydra" / file).read_text()
    (run / ".hydra" / file).write_text(f"- {tag}\n" if file.startswith("over") else f"{content}\nx: {tag}\n")
    message = [answer(name) for name in ("resuming", "measuring", "comparing")]
    assert message[0][0] == 1
    assert file in message[0][1]


SYSTEM = "{_target_:os.system,command:touch executed}"
FOREIGN = {
    "a callback": [f"+callbacks.evil={SYSTEM}"],
    "a component of a component": [f"data.root={SYSTEM}"],
    "a way round": [
        "+callbacks.evil={_target_:latentlab.evaluation.metrics.restoration.torch.hub.load,repo_or_dir:x,model:y}"
    ],
    "a file": ["+callbacks.evil={_target_:latentlab.runs.run.write_atomically,file:executed,content:x}"],
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_run_s_own_config_names_no_foreign_code(run, answer, kind):
    file = run / ".hydra" / "overrides.yaml"
    OmegaConf.save([*OmegaConf.load(file), *FOREIGN[kind]], file)
    status, message = answer("resuming")
    assert status == 1
    assert "error: " in message
    assert "_target_" in message


@pytest.mark.parametrize("key", ["data", "logger.evil", "net.encoder", "data.root"])
def test_nor_does_the_config_that_it_is_measured_by(run, answer, key):
    file = run / ".hydra" / "resolved.yaml"
    config = OmegaConf.load(file)
    OmegaConf.update(config, key, {"_target_": "os.system", "command": "touch executed"}, merge=False)
    OmegaConf.save(config, file)
    status, message = answer("measuring")
    assert status == 1
    assert f"{key}._target_: expected a network, callback, logger or other component of a run" in message


def test_a_component_whose_package_is_missing_is_not_found(run, answer):
    file = run / ".hydra" / "resolved.yaml"
    file.write_text(file.read_text().replace("latentlab.models.vae.VAE", "my_variants.vae.VAE"))
    status, message = answer("measuring")
    assert status == 1
    assert (
        "model._target_: my_variants.vae.VAE not found (no module my_variants; is its folder on PYTHONPATH?); install"
        in message
    )
    assert "trust" not in message
