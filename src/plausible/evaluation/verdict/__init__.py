"""Did it learn the distribution?  A test for each defect, and what all of them say together.

``defect``   what a kind of defect is
``defects``  all of them
``verdict``  FAIL, PASS or INCONCLUSIVE
"""
