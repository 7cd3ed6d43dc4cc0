"""Whole lines out of pieces that are cut anywhere."""


class Lines:
    """Collects pieces until there are enough lines to be worth the work.

    Parameters
    ----------
    enough_bytes
        How much is collected before lines are given out.
    """

    def __init__(self, enough_bytes: int) -> None:
        self._enough_bytes = enough_bytes
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> list[bytes]:
        """The whole lines that are there, without their ends, once there are enough; else none."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size < self._enough_bytes:
            return []
        *whole, begun = b"".join(self._pieces).split(b"\n")
        self._pieces, self._size = [begun], len(begun)
        return whole

    def rest(self) -> list[bytes]:
        """The lines that were collected and not given out."""
        return b"".join(self._pieces).split(b"\n")[:-1]
