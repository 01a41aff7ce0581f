"""A run to evaluate, of a second or two."""

import json

TINY = ["data=digits", "data.image_size=8", "net.widths=[32]", "model.latent_dim=4", "trainer.max_epochs=2"]


def write_stamp(run, number):
    content = json.loads(run.metrics_file.read_text())
    content["versions"]["latentlab"], content["format"] = "0.0.1", number
    run.metrics_file.write_text(json.dumps(content))
