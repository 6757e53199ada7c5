"""Ids and refusals of the kit."""

from spacelab.kit.ids import ALPHABET, LENGTH, new_id


def test_an_id_can_be_a_host_name_label() -> None:
    for _ in range(200):
        made = new_id()
        assert len(made) == LENGTH
        assert set(made) <= set(ALPHABET)
        assert made[0].isalpha()
