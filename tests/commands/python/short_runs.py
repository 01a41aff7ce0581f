"""What makes a run short."""

TINY = ("data=digits", "data.image_size=8", "net.widths=[16]", "trainer.max_epochs=2", "logger=none")
