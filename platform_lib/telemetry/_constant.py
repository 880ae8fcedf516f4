"""Text that the program itself made, as opposed to data."""


class Constant(str):
    """A text without any data in it, such as a route template: the redactor need not read it."""

    __slots__ = ()
