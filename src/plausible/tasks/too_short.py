"""A training that was far shorter than it needs is told so before anything is said of what came of it."""

from typing import NamedTuple

from plausible.tasks.commands import resume_command
from plausible.tasks.course import Course


class TooShort(NamedTuple):
    """That a training was too short: in words, and the command that goes on with it."""

    words: str
    command: str

    def __str__(self) -> str:
        return f"{self.words}; go on with: {self.command}"


def too_short(course: Course | None) -> TooShort | None:
    """What to say of a training that was played for less than 3% of the rounds it needs; None of others.

    course  None for a model of which nobody knows how it was trained.
    """
    if course is None or not course.too_short:
        return None
    rounds = f"{course.steps:,} round{'s' * (course.steps != 1)}"
    return TooShort(
        f"{rounds} of about {course.needed:,}: too short to judge", resume_command(course)
    )
