"""Monitors: what is looked at while a model trains, and the alarms that follow; one idea a file.

``game``         does the discriminator leave the generator something to learn from
``samples``      do samples reach what data reach
``movement``     does every player move, and none of them away
``oscillation``  do the players chase each other in circles
``generality``   does what is learned hold for data that are not learned
``inference``    does the decoder listen to z
``mixing``       do the chains of a model still move
``units``        is every unit of use
"""

from plausible.diagnosis.monitors import (  # noqa: F401  # registers what they hold
    game,
    generality,
    inference,
    mixing,
    movement,
    oscillation,
    samples,
    units,
)
