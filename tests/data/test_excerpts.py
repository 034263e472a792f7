"""Runs of a text's blocks or sentences: verbatim, never the whole, the same for the same seed."""

from spokesmith.data.excerpts import LONGEST_SHARE, SHORTEST, excerpts

LIST = "Stock of the shed\n\n" + "\n".join(f"- shelf {n} holds {n * 7} jars" for n in range(1, 9))
WRAPPED = (
    "The pump in the cellar of the old mill stopped twice in the night,\n"
    "so Petra Lind replaced its seal in the morning of 3 March.\n"
    "It ran again at noon.\n"
    "Nobody was hurt, and the cellar is dry again since Friday.\n"
    "The seal cost 14 euros.\n"
)
PROSE = "Ana came at 8. Bo left at 9 because of the rain. Cem stayed for tea. Dora paid 12 euros."
CHINESE = (
    "张伟八点来了，带了三本书。李娜九点走了，因为下雨。王芳留下来喝茶，没有说话。"
    "赵敏付了十二元，然后回家。陈静把钥匙交给刘洋。会议改到十五点，材料带四十三份。"
)


def test_runs_are_verbatim_and_leave_something_out() -> None:
    for text in (LIST, WRAPPED, PROSE, CHINESE):
        found = excerpts(text, 5, "0/x")
        assert found
        assert len(set(found)) == len(found) <= 5
        for excerpt in found:
            assert "".join(excerpt.split()) in "".join(text.split())
            assert SHORTEST <= len(excerpt) <= LONGEST_SHARE * len(text)


def test_a_wrapped_line_stays_with_its_rest() -> None:
    found = excerpts(WRAPPED, 20, "0/x")
    assert all(not excerpt.startswith("so Petra") for excerpt in found)
    assert all(not excerpt.endswith("in the night,") for excerpt in found)


def test_the_seed_alone_decides() -> None:
    assert excerpts(LIST, 4, "0/x") == excerpts(LIST, 4, "0/x")
    assert excerpts(LIST, 4, "0/x") != excerpts(LIST, 4, "1/x")


def test_a_text_without_parts_has_no_excerpts() -> None:
    assert excerpts("One line only, and no second sentence in it", 3, "0/x") == []
    assert excerpts(LIST, 0, "0/x") == []
    assert excerpts("", 3, "0/x") == []
