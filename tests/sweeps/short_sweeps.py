"""Jobs of well under a second, for tests of what is around them."""

JOB = [
    "data=digits",
    "data.image_size=8",
    "trainer=cpu",
    "trainer.max_epochs=1",
    "callbacks=no_pictures",
    "logger=none",
    "sweep.report=false",
]
