"""What a measurement or a picture says where it has nothing to say of a model."""


class NotApplicable(Exception):  # noqa: N818
    """The model or its data lacks what this measurement is about; the message says what."""
