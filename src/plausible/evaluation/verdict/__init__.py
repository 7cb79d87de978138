"""Did it learn the distribution?  A test for each defect, and what all of them say together.

``defect``   what a kind of defect is
``verdict``  FAIL, PASS or INCONCLUSIVE
``planting`` a defect put into real data at a stated strength; the generator of each stands beside its test
``power``    whether each test finds it there
``critic_test``  what a critic says, as a test
``alike``    who lies how near to whom, which three tests share
The other files hold the defects, one question a file.  Importing this package registers them in the
order in which a table shows them; a new file needs a line.  Which one is named first, being the worst, is
the order of ``tasks.plain_words``.
"""

# ruff: noqa: I001, F401  # the order is that of the table
from plausible.evaluation.verdict import modes
from plausible.evaluation.verdict import spread
from plausible.evaluation.verdict import copies
from plausible.evaluation.verdict import duplicates
from plausible.evaluation.verdict import garbage
from plausible.evaluation.verdict import values
from plausible.evaluation.verdict import brightness
from plausible.evaluation.verdict import blur
from plausible.evaluation.verdict import pattern
from plausible.evaluation.verdict import looks
from plausible.evaluation.verdict import anything_else
