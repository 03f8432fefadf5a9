"""Questions that cannot be answered, with the reason."""


class Refused(Exception):
    """A question without an answer; `choices` are questions that say what it may mean."""

    is_unread = False  # whether somebody else may understand the question

    def __init__(self, reason: str, choices: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason, self.choices = reason, choices


class Unread(Refused):
    """A question with words, or in an order, that the grammar does not know."""

    is_unread = True
