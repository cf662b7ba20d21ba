"""The one way a file is refused as a whole; single bad rows are ``RowError``."""

from offers.sentences import Sentence


class NotAFeed(Exception):
    """This file cannot be read as a feed; *sentence* says why and what to do."""

    code = "not_a_feed"

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


class BadCell(Exception):
    """One cell does not say what its column promises.

    It never leaves the package: the row that holds the cell becomes a ``RowError``.
    """

    def __init__(self, message: Sentence, remedy: Sentence) -> None:
        super().__init__(str(message))
        self.message = message
        self.remedy = remedy
